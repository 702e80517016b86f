/** An answer of refusal, as a problem document. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.status = status;
    this.title = title;
  }

  toJSON(): Record<string, unknown> {
    const { status, title, message } = this;
    return { type: 'about:blank', title, status, detail: message, instance: '/v2' };
  }
}

export function notFound(what: string, key: string): Problem {
  return new Problem(404, 'NOT_FOUND', `Expected to find ${what} with key '${key}', but there is none.`);
}

export function invalid(detail: string): Problem {
  return new Problem(400, 'INVALID_ARGUMENT', detail);
}

export function wrongState(detail: string): Problem {
  return new Problem(409, 'INVALID_STATE', detail);
}
