import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { FailureLimit } from './failure-limit.ts';
import { callerOf, type HttpSettings, type RequestFacts } from './options.ts';
import { type Caller, includes, type Role } from './roles.ts';

/**
 * Says who asks, and whether they may. Without tokens and without `authorize` only this machine may ask: the peer's address
 * must be a loopback one, and so must the host that was asked for, since a page of another site may have its name resolve
 * to 127.0.0.1 (DNS rebinding). Cookies are never read here.
 */
export class Guard {
  readonly #settings: HttpSettings;
  readonly #clock: Clock;
  readonly #failures: FailureLimit;
  readonly #digests: readonly { readonly digest: Buffer; readonly token: HttpSettings['tokens'][number] }[];

  constructor(settings: HttpSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#failures = new FailureLimit(settings.failuresMax, clock);
    this.#digests = settings.tokens.map((token) => ({ digest: digestOf(token.token), token }));
  }

  /** Rejects with HTTP_TOKEN_INVALID, HTTP_ORIGIN_REFUSED, HTTP_ROLE_REFUSED, HTTP_TOO_MANY. */
  async admit(request: Request, facts: RequestFacts, needed: Role | 'anyone'): Promise<Caller> {
    if (needed === 'anyone') return { name: 'anyone', role: 'look' };
    const isLocal = this.#digests.length === 0 && this.#settings.authorize === undefined;
    if (isLocal || !['GET', 'HEAD', 'OPTIONS'].includes(request.method)) this.#requireOrigin(request);
    const caller = isLocal ? local(request, facts) : await this.#known(request, facts);
    if (includes(caller.role, needed)) return caller;
    throw new LongshoreError(
      'HTTP_ROLE_REFUSED',
      `This needs the role '${needed}', and '${caller.name}' has '${caller.role}'.`,
      { details: { needed, role: caller.role } },
    );
  }

  /** A caller that is known passes whatever others at the same address do: a proxy has one address for all. */
  async #known(request: Request, { remoteAddress = 'unknown' }: RequestFacts): Promise<Caller> {
    const { authorize } = this.#settings;
    const caller =
      authorize === undefined ? this.#byToken(request) : callerOf(await authorize(request), 'http');
    if (caller !== null) return caller;
    this.#failures.note(remoteAddress);
    throw new LongshoreError(
      'HTTP_TOKEN_INVALID',
      request.headers.has('authorization')
        ? 'The token is none of this server, or it has expired.'
        : 'The request has no token; send it as Authorization: Bearer TOKEN.',
    );
  }

  /** Every token is compared, whole digests at a time, so that the time it takes tells nothing. */
  #byToken(request: Request): Caller | null {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (given === undefined) return null;
    const digest = digestOf(given);
    let found: HttpSettings['tokens'][number] | null = null;
    for (const one of this.#digests) if (timingSafeEqual(one.digest, digest)) found = one.token;
    if (found === null || found.expiresAt <= this.#clock.now()) return null;
    return { name: found.name, role: found.role };
  }

  /** Browsers say which page acts; programs say nothing. */
  #requireOrigin(request: Request): void {
    const origin = request.headers.get('origin');
    if (origin === null || this.#settings.origins.includes(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === new URL(request.url).host) return;
    throw new LongshoreError(
      'HTTP_ORIGIN_REFUSED',
      `A page of ${JSON.stringify(origin.slice(0, 200))} may not act here; list it in the option origins if it is to.`,
    );
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function local(request: Request, { remoteAddress }: RequestFacts): Caller {
  const { hostname } = new URL(request.url);
  const forwarded = FORWARDED.find((name) => request.headers.has(name));
  if (isLoopback(remoteAddress ?? '') && isLocalName(hostname) && forwarded === undefined)
    return { name: 'local', role: 'administer' };
  const why =
    remoteAddress === undefined
      ? 'the adapter does not say where the request comes from'
      : !isLoopback(remoteAddress)
        ? `the request comes from ${remoteAddress}`
        : forwarded === undefined
          ? `the request asks for host ${JSON.stringify(hostname)}`
          : `a proxy passed the request on (${forwarded})`;
  throw new LongshoreError(
    'HTTP_TOKEN_INVALID',
    `No tokens are set up, so only this machine may ask, by the name localhost or 127.0.0.1; ${why}. Set tokens or authorize.`,
  );
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

export function isLoopback(address: string): boolean {
  return /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/i.test(address);
}

function isLocalName(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname);
}
