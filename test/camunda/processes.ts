/** BPMN of the tests. */

export interface Task {
  readonly type: string;
  readonly retries?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The code of a boundary event that leads straight to the end. */
  readonly catches?: string;
}

/** A process of service tasks in sequence. */
export function sequence(id: string, ...tasks: readonly Task[]): string {
  const names = ['start', ...tasks.map((_, index) => `task-${index + 1}`), 'end'];
  const flows = names.slice(1).map((name, index) => flow(names[index] as string, name));
  const errors = tasks.flatMap(({ catches }, index) =>
    catches === undefined ? [] : [`<bpmn:error id="error-${index + 1}" name="E" errorCode="${catches}" />`],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="${id}" isExecutable="true">
    <bpmn:startEvent id="start" />
    ${tasks.map(serviceTask).join('\n    ')}
    <bpmn:endEvent id="end" />
    ${flows.join('\n    ')}
  </bpmn:process>
  ${errors.join('\n  ')}
</bpmn:definitions>
`;
}

function serviceTask({ type, retries = 3, headers = {}, catches }: Task, index: number): string {
  const name = `task-${index + 1}`;
  const listed = Object.entries(headers).map(
    ([key, value]) => `<zeebe:header key="${key}" value="${value}" />`,
  );
  const boundary =
    catches === undefined
      ? ''
      : `<bpmn:boundaryEvent id="caught-${index + 1}" attachedToRef="${name}">
      <bpmn:errorEventDefinition id="definition-${index + 1}" errorRef="error-${index + 1}" />
    </bpmn:boundaryEvent>
    ${flow(`caught-${index + 1}`, 'end')}`;
  return `<bpmn:serviceTask id="${name}">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="${type}" retries="${retries}" />
        ${listed.length === 0 ? '' : `<zeebe:taskHeaders>${listed.join('')}</zeebe:taskHeaders>`}
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    ${boundary}`;
}

function flow(source: string, target: string): string {
  return `<bpmn:sequenceFlow id="${source}-${target}" sourceRef="${source}" targetRef="${target}" />`;
}
