/** Reads the part of BPMN that the simulator executes: service tasks in sequence, with error boundary events. */
export interface Process {
  readonly id: string;
  readonly start: string;
  readonly elements: ReadonlyMap<string, Element>;
}

export interface Element {
  readonly id: string;
  readonly kind: 'start' | 'task' | 'end' | 'boundary';
  /** The element after this one; null at an end. */
  next: string | null;
  /** The job type of a task. */
  type: string;
  retries: number;
  readonly headers: Record<string, string>;
  /** The task that a boundary event sits on. */
  readonly attachedTo: string | null;
  /** The error that a boundary event catches; null: every one. */
  errorRef: string | null;
  errorCode: string | null;
}

const KINDS: Readonly<Record<string, Element['kind']>> = {
  startEvent: 'start',
  serviceTask: 'task',
  endEvent: 'end',
  boundaryEvent: 'boundary',
};

/** What may stand in a process without a meaning here. */
const PASSED_OVER = new Set(['incoming', 'outgoing', 'extensionElements', 'documentation', 'taskHeaders']);

const TAG = /<(\/?)(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w:.-]+\s*=\s*"[^"]*")*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*"([^"]*)"/g;

/** Throws an Error that says what is wrong, or what the simulator does not execute. */
export function readProcess(xml: string): Process {
  const elements = new Map<string, Element>();
  const errors = new Map<string, string>();
  const flows: [string, string][] = [];
  let id: string | null = null;
  let inside: Element | null = null;
  for (const [, closing, name = '', attributes = '', selfClosing] of body(xml).matchAll(TAG)) {
    const kind = KINDS[name];
    if (closing === '/') {
      if (kind !== undefined) inside = null;
      if (name === 'process') break;
      continue;
    }
    const given = attributesOf(attributes);
    if (name === 'process') id = need(given, 'id', name);
    else if (id === null) continue;
    else if (kind !== undefined) {
      const element = elementOf(kind, need(given, 'id', name), given);
      elements.set(element.id, element);
      inside = selfClosing === '/' ? null : element;
    } else if (name === 'sequenceFlow')
      flows.push([need(given, 'sourceRef', name), need(given, 'targetRef', name)]);
    else if (name === 'taskDefinition' && inside !== null) {
      inside.type = need(given, 'type', name);
      inside.retries = Number(given.retries ?? 3);
    } else if (name === 'header' && inside !== null)
      inside.headers[need(given, 'key', name)] = given.value ?? '';
    else if (name === 'errorEventDefinition' && inside !== null) inside.errorRef = given.errorRef ?? null;
    else if (!PASSED_OVER.has(name)) throw new Error(`The simulator does not execute <${name}>.`);
  }
  for (const [, , name, attributes = ''] of body(xml).matchAll(TAG)) {
    if (name !== 'error') continue;
    const given = attributesOf(attributes);
    errors.set(need(given, 'id', name), need(given, 'errorCode', name));
  }
  return linked(id, elements, flows, errors);
}

function linked(
  id: string | null,
  elements: Map<string, Element>,
  flows: readonly [string, string][],
  errors: ReadonlyMap<string, string>,
): Process {
  for (const [source, target] of flows) {
    const element = elements.get(source);
    if (element === undefined || !elements.has(target))
      throw new Error(`A sequence flow leads from '${source}' to '${target}', and one of them is missing.`);
    element.next = target;
  }
  for (const element of elements.values()) {
    if (element.kind === 'task' && element.type === '')
      throw new Error(`The service task '${element.id}' has no zeebe:taskDefinition.`);
    if (element.errorRef !== null) element.errorCode = errors.get(element.errorRef) ?? null;
  }
  const start = [...elements.values()].find(({ kind }) => kind === 'start');
  if (id === null || start === undefined) throw new Error('There is no process with a start event.');
  return { id, start: start.id, elements };
}

function elementOf(kind: Element['kind'], id: string, given: Readonly<Record<string, string>>): Element {
  return {
    id,
    kind,
    next: null,
    type: '',
    retries: 3,
    headers: {},
    attachedTo: given.attachedToRef ?? null,
    errorRef: null,
    errorCode: null,
  };
}

/** Without comments, the prolog, and the picture of the process. */
function body(xml: string): string {
  return xml.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\w+:)?BPMNDiagram[\s\S]*?<\/(\w+:)?BPMNDiagram>/g, '');
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, key, value]) => [key, unescaped(value)]));
}

function unescaped(text = ''): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

function need(given: Readonly<Record<string, string>>, key: string, name: string): string {
  const value = given[key];
  if (value === undefined || value === '') throw new Error(`<${name}> has no ${key}.`);
  return value;
}
