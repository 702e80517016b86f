import type { Me, Role } from './data.ts';

/** Asks the API below the address of the page, wherever that is mounted. The token stays in this tab. */
const BASE = new URL('api/v1/', new URL('.', document.baseURI));
const TOKEN = 'longshore.token';

/** A problem document (RFC 9457), or that there was no answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Takes what others who look were told in the last 2 s, so that many viewers cost the store no more than one. */
export function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return ask<Answer>('GET', path, undefined, { 'cache-control': 'max-age=2' }, signal);
}

export function act<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  return ask<Answer>(method, path, body, {});
}

async function ask<Answer>(
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await fetch(new URL(path, BASE), {
    method,
    headers: {
      ...headers,
      ...authorization(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Problem(
      0,
      'NO_ANSWER',
      'The server does not answer. It may have stopped; this page asks again.',
    );
  });
  if (response.ok) return (await response.json()) as Answer;
  throw await problemOf(response);
}

async function problemOf(response: Response): Promise<Problem> {
  const told = (await response.json().catch(() => ({}))) as {
    code?: string;
    detail?: string;
    title?: string;
  };
  const problem = new Problem(
    response.status,
    told.code ?? 'HTTP_FAILED',
    told.detail ?? told.title ?? `The server answered ${response.status}.`,
  );
  if (response.status === 401) askForToken?.(problem);
  return problem;
}

let askForToken: ((problem: Problem) => void) | null = null;

export function whenTokenIsMissing(listener: (problem: Problem) => void): void {
  askForToken = listener;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export function hasToken(): boolean {
  return sessionStorage.getItem(TOKEN) !== null;
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN);
}

function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

const ROLES: readonly Role[] = ['look', 'act', 'administer'];

export function may({ role }: Pick<Me, 'role'>, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The data of each event of this name. Rejects when the stream breaks; resolves when it ends. */
export async function stream(
  name: string,
  signal: AbortSignal,
  tell: (data: unknown) => void,
): Promise<void> {
  const response = await fetch(new URL(`events?names=${name}`, BASE), { headers: authorization(), signal });
  if (!response.ok || response.body === null) throw await problemOf(response);
  let text = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const isWanted = event.startsWith(`event: ${name}\n`);
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (isWanted && data !== undefined) tell(JSON.parse(data));
    }
  }
}
