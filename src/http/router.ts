import { LongshoreError } from '../core/errors.ts';
import type { Method, Operation } from './operation.ts';

/** Finds the operation of a method and a path, below where the API is mounted. */
export interface Route {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

export interface Match {
  /** By method; more than one path may match, such as `/jobs/batch` and `/jobs/{id}`: names go before parameters. */
  readonly routes: ReadonlyMap<Method, Route>;
  readonly methods: readonly string[];
}

export class Router {
  readonly #byLength = new Map<
    number,
    { readonly parts: readonly string[]; readonly operation: Operation }[]
  >();

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      const parts = operation.path.split('/').slice(1);
      const same = this.#byLength.get(parts.length) ?? [];
      same.push({ parts, operation });
      this.#byLength.set(parts.length, same);
    }
    for (const same of this.#byLength.values())
      same.sort((one, other) => rank(one.parts) - rank(other.parts));
  }

  /** Null where no path matches. Throws HTTP_REQUEST_INVALID for what is no UTF-8. */
  match(path: string): Match | null {
    const given = path.split('/').slice(1).map(decoded);
    const routes = new Map<Method, Route>();
    for (const { parts, operation } of this.#byLength.get(given.length) ?? []) {
      const params = paramsOf(parts, given);
      if (params !== null && !routes.has(operation.method))
        routes.set(operation.method, { operation, params });
    }
    if (routes.size === 0) return null;
    const methods = [...routes.keys(), ...(routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'];
    return { routes, methods: methods.sort() };
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
