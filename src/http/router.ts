import { LongshoreError } from '../core/errors.ts';
import type { Method, Operation } from './operation.ts';

/** Finds the operations of a path, below where the API is mounted. */
export interface Match {
  readonly params: Readonly<Record<string, string>>;
  readonly operations: ReadonlyMap<Method, Operation>;
  /** All that the path takes. */
  readonly methods: readonly string[];
}

interface Path {
  readonly parts: readonly string[];
  readonly operations: Map<Method, Operation>;
}

export class Router {
  /** Names go before parameters: `/jobs/batch` before `/jobs/{id}`. */
  readonly #byLength = new Map<number, Path[]>();

  constructor(operations: readonly Operation[]) {
    for (const [path, own] of Map.groupBy(operations, (operation) => operation.path)) {
      const parts = path.split('/').slice(1);
      const same = this.#byLength.get(parts.length) ?? [];
      same.push({ parts, operations: new Map(own.map((operation) => [operation.method, operation])) });
      this.#byLength.set(
        parts.length,
        same.sort((one, other) => rank(one.parts) - rank(other.parts)),
      );
    }
  }

  /** Null where no path matches. Throws HTTP_REQUEST_INVALID for what is no UTF-8. */
  match(path: string): Match | null {
    const given = path.split('/').slice(1).map(decoded);
    const fitting = (this.#byLength.get(given.length) ?? []).find(
      ({ parts }) => paramsOf(parts, given) !== null,
    );
    if (fitting === undefined) return null;
    const { parts, operations } = fitting;
    const methods = [...operations.keys(), ...(operations.has('GET') ? ['HEAD'] : []), 'OPTIONS'];
    return { params: paramsOf(parts, given) ?? {}, operations, methods: methods.sort() };
  }
}

/** Paths with fewer parameters go first. */
function rank(parts: readonly string[]): number {
  return parts.filter((part) => part.startsWith('{')).length;
}

function paramsOf(parts: readonly string[], given: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = given[index] as string;
    if (part.startsWith('{')) params[part.slice(1, -1)] = value;
    else if (part !== value) return null;
  }
  return params;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new LongshoreError(
      'HTTP_REQUEST_INVALID',
      `The path has ${JSON.stringify(part.slice(0, 80))}, which is no UTF-8 in percent encoding.`,
      { cause },
    );
  }
}
