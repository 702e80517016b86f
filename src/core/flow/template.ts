import type { Json } from '../payload.ts';

/**
 * What a step's input is made of, as data: JSON in which `{ "$ref": [source, ...path] }` stands for a value that is known
 * when the step starts. Sources are `run` (the run's input), `item` and `index` (of a fan-out), `cursor` (of a loop), and
 * steps as `step:NAME`. An object of the user's that has such a key itself is written as `{ "$literal": ... }`.
 */
export type Template = Json;

export interface RefNode {
  readonly $ref: readonly string[];
  /** What stands there when the path leads nowhere; without it that is the step's failure. */
  readonly $else?: Template;
}

export const STEP_SOURCE = 'step:';

export function refTo(source: string, path: readonly string[] = []): Template {
  return { $ref: [source, ...path] };
}

export function stepSource(name: string): string {
  return `${STEP_SOURCE}${name}`;
}

/** A path that leads nowhere. */
export class PathMissing extends Error {
  readonly path: readonly string[];

  constructor(path: readonly string[], at: number) {
    super(
      `${pathText(path)} is not there: ${at <= 1 ? pathText(path.slice(0, 1)) : pathText(path.slice(0, at))} has no ${JSON.stringify(path[at])}`,
    );
    this.path = path;
  }
}

/** `run.order.id`, `validate.items`. */
export function pathText([source = '', ...path]: readonly string[]): string {
  return [source.startsWith(STEP_SOURCE) ? source.slice(STEP_SOURCE.length) : source, ...path].join('.');
}

/** The sources a template refers to. */
export function sourcesOf(template: Template, into: Set<string> = new Set()): Set<string> {
  const ref = refOf(template);
  if (ref !== null) {
    into.add(ref.$ref[0] ?? '');
    if (ref.$else !== undefined) sourcesOf(ref.$else, into);
  } else if (typeof template === 'object' && template !== null && !('$literal' in template))
    for (const part of Object.values(template)) sourcesOf(part, into);
  return into;
}

/** The value a template stands for. Throws PathMissing, and whatever `read` throws. */
export function resolve(template: Template, read: (source: string) => unknown): unknown {
  const ref = refOf(template);
  if (ref !== null) return follow(ref, read);
  if (typeof template !== 'object' || template === null) return template;
  if (Array.isArray(template)) return template.map((part) => resolve(part, read));
  if ('$literal' in template) return template.$literal;
  const made: Record<string, unknown> = Object.create(null);
  for (const [key, part] of Object.entries(template)) made[key] = resolve(part, read);
  return { ...made };
}

function follow({ $ref: path, $else: fallback }: RefNode, read: (source: string) => unknown): unknown {
  let value = read(path[0] ?? '');
  // A step that was skipped, or failed and was let pass, has no result: so has nothing below it.
  if (value === ABSENT) return fallback === undefined ? null : resolve(fallback, read);
  for (let at = 1; at < path.length; at += 1) {
    const key = path[at] as string;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      if (fallback !== undefined) return resolve(fallback, read);
      throw new PathMissing(path, at);
    }
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** What `read` answers for a step that has no result. */
export const ABSENT = Symbol('absent');

export function isRefNode(template: Template): boolean {
  return refOf(template) !== null;
}

function refOf(template: Template): RefNode | null {
  if (typeof template !== 'object' || template === null || Array.isArray(template)) return null;
  return Array.isArray(template.$ref) ? (template as unknown as RefNode) : null;
}

/** Plain data as a template that stands for itself. */
export function literal(value: Json): Template {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(literal);
  if ('$ref' in value || '$literal' in value) return { $literal: value };
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, literal(part)]));
}
