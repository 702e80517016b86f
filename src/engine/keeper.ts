import { Worker } from 'node:worker_threads';
import { LongshoreError, optionInvalid, requireInteger, requirePositiveMs } from '../core/errors.ts';
import { namedReasonOf } from '../core/legible.ts';
import { ownFile } from '../own-file.ts';
import type { TlsFiles } from './http-request.ts';
import type { FromKeeper, KeeperSettings, ToKeeper } from './keeper-thread.ts';
import type { Lock } from './renewals.ts';

export type { TlsFiles } from './http-request.ts';

/**
 * Renews the locks of work by HTTP requests from a thread of its own, for engines whose locks end unless somebody says that the
 * work goes on (Operaton's `extendLock`, Camunda's `PATCH /jobs/{key}`). So code that holds the program's event loop loses no
 * lock. It knows no engine: a connector says what the request is.
 */
export interface KeeperOptions {
  /** `POST`, `PATCH` … */
  readonly method: string;
  /** With `{id}` where the id of a lock goes: `http://host:8080/engine-rest/external-task/{id}/extendLock`. */
  readonly url: string;
  /** Of every request; those of `setHeaders` are stronger. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, of locks that bring none of their own. */
  readonly body?: string;
  /** Answers that say the lock is lost; default 404 and 409. */
  readonly lostStatuses?: readonly number[];
  /** What such an answer's text has to match as well: a proxy answers 404, too. One that does not is tried again. */
  readonly lostText?: RegExp;
  /** Most requests at a time; default 8. */
  readonly requestsMax?: number;
  /** For an engine with a certificate of its own making, or one that asks for ours. */
  readonly tls?: TlsFiles;
  /** A renewal did not go well and is tried again. ENGINE_UNAVAILABLE, or ENGINE_REFUSED for a 4xx such as an outdated token. */
  readonly onTrouble?: (error: LongshoreError, retryMs: number) => void;
  /** Renewals go well again. */
  readonly onWell?: () => void;
}

export interface HoldOptions {
  /** From one renewal to the next: a third of the lock's time is a good choice. */
  readonly intervalMs: number;
  /** Until the first one; default: the interval. */
  readonly firstMs?: number;
  /** JSON text; default: the keeper's. */
  readonly body?: string;
}

/** A lock that is renewed. */
export interface HeldLock {
  /** Aborts with LEASE_LOST when the engine says that the lock is lost. Give it to the runner as the work's signal. */
  readonly signal: AbortSignal;
  /** Ends the renewals: the work has ended. Idempotent. */
  release(): void;
  /** The same at once. Resolves when no renewal is under way, which would set the lock's time anew. */
  settle(): Promise<void>;
}

interface Held {
  readonly id: string;
  readonly kept: Lock;
  readonly lost: AbortController;
}

/** One for each connection to an engine. Its thread starts with the first lock, and does not keep the process alive. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #settings: KeeperSettings;
  readonly #held = new Map<number, Held>();
  readonly #settling = new Map<number, () => void>();
  #headers: Readonly<Record<string, string>> = {};
  #next = 0;
  #thread: Worker | null = null;
  /** Not sent yet: to wake a thread costs more than all else here. */
  #unsent: ToKeeper[] = [];
  #sending = false;
  #cancelLater: (() => void) | null = null;
  #restarting = false;
  #closed = false;

  /** Throws OPTION_INVALID. */
  constructor(options: KeeperOptions) {
    this.#options = options;
    const {
      url,
      requestsMax = REQUESTS_MAX_DEFAULT,
      lostStatuses = LOST_STATUSES_DEFAULT,
      lostText,
      tls = {},
    } = options;
    if (!URL.canParse(url) || !/^https?:/.test(url) || !url.includes('{id}'))
      throw optionInvalid('url', url, 'an http(s) URL with {id} where the id of a lock goes');
    requireInteger('requestsMax', requestsMax, 1);
    this.#settings = { requestsMax, lostStatuses, lostText, tls };
  }

  /** Renews the lock from now on, and from the next microtask on whatever the event loop does. Throws OPTION_INVALID. */
  hold(id: string, options: HoldOptions): HeldLock {
    const { intervalMs, firstMs = intervalMs, body } = options;
    requirePositiveMs('intervalMs', intervalMs);
    const { method, url, headers = {}, body: common = null } = this.#options;
    const call = {
      method,
      url: url.replaceAll('{id}', encodeURIComponent(id)),
      headers,
      body: body ?? common,
    };
    const [lock, held] = [
      this.#next,
      { id, kept: { call, intervalMs, firstMs }, lost: new AbortController() },
    ];
    this.#next += 1;
    this.#held.set(lock, held);
    if (this.#thread === null) this.#start();
    else this.#say({ type: 'hold', lock, kept: held.kept });
    return {
      signal: held.lost.signal,
      release: () => {
        if (this.#held.delete(lock)) this.#sayLater({ type: 'release', lock });
      },
      settle: () => this.#settle(lock),
    };
  }

  #settle(lock: number): Promise<void> {
    if (!this.#held.delete(lock) || this.#thread === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settling.set(lock, resolve);
      this.#say({ type: 'settle', lock });
    });
  }

  #settled(locks: Iterable<number>): void {
    for (const lock of [...locks]) {
      this.#settling.get(lock)?.();
      this.#settling.delete(lock);
    }
  }

  /** Of requests from now on, such as a new token. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
    this.#say({ type: 'headers', headers });
  }

  /** Ends all renewals. Resolves when the thread has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#held.clear();
    const thread = this.#thread;
    if (thread === null) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.ref();
    this.#say({ type: 'close' });
    this.#send();
    const timer = setTimeout(() => void thread.terminate(), CLOSE_MAX_MS);
    await ended;
    clearTimeout(timer);
  }

  /** At the next microtask: before a handler starts that may hold the event loop, and together with the other works of a batch. */
  #say(message: ToKeeper): void {
    if (this.#thread === null) return;
    this.#unsent.push(message);
    if (this.#sending) return;
    this.#sending = true;
    queueMicrotask(() => this.#send());
  }

  /** What is not urgent goes with the next message, or soon. A lock that is renewed once more meanwhile harms nobody. */
  #sayLater(message: ToKeeper): void {
    if (this.#thread === null) return;
    this.#unsent.push(message);
    if (this.#cancelLater !== null) return;
    const timer = setTimeout(() => this.#send(), LATER_MS).unref();
    this.#cancelLater = () => clearTimeout(timer);
  }

  #send(): void {
    this.#sending = false;
    this.#cancelLater?.();
    this.#cancelLater = null;
    const messages = this.#unsent;
    this.#unsent = [];
    if (messages.length > 0) this.#thread?.postMessage(messages);
  }

  #start(): void {
    if (this.#closed || this.#restarting) return;
    // Nothing of the user's program is loaded into the thread: no preloaded modules, no loaders.
    const thread = new Worker(ownFile('./keeper-thread', import.meta.url), {
      name: 'longshore keeper',
      workerData: { longshoreKeeper: this.#settings },
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    thread.on('message', (message: FromKeeper) => this.#hear(message));
    thread.on('error', (cause) => this.#fail(cause));
    thread.on('exit', () => this.#restart());
    // A listener for messages keeps the process alive again, so this comes after it.
    thread.unref();
    this.#thread = thread;
    this.#unsent = [];
    this.#say({ type: 'headers', headers: this.#headers });
    for (const [lock, { kept }] of this.#held) this.#say({ type: 'hold', lock, kept });
  }

  #hear(message: FromKeeper): void {
    const { onTrouble, onWell } = this.#options;
    if (message.type === 'lost') this.#lose(message);
    else if (message.type === 'settled') this.#settled([message.lock]);
    else if (message.type === 'well') onWell?.();
    else onTrouble?.(troubleOf(message, this.#options), message.retryMs);
  }

  #lose({ lock, status, text }: Extract<FromKeeper, { type: 'lost' }>): void {
    const held = this.#held.get(lock);
    if (held === undefined) return;
    this.#held.delete(lock);
    const said = `The engine no longer knows the lock on ${held.id}: it answered ${status} ${text}`.trimEnd();
    held.lost.abort(new LongshoreError('LEASE_LOST', said, { details: { id: held.id, status } }));
  }

  #fail(cause: unknown): void {
    const message = `The thread that renews locks ended: ${namedReasonOf(cause)}. It is started again.`;
    this.#options.onTrouble?.(new LongshoreError('ENGINE_UNAVAILABLE', message, { cause }), RESTART_MS);
  }

  #restart(): void {
    this.#thread = null;
    this.#settled(this.#settling.keys());
    if (this.#closed) return;
    this.#restarting = true;
    setTimeout(() => {
      this.#restarting = false;
      if (this.#held.size > 0) this.#start();
    }, RESTART_MS).unref();
  }
}

const REQUESTS_MAX_DEFAULT = 8;
const LOST_STATUSES_DEFAULT = [404, 409];
const LATER_MS = 50;
/** A thread that dies at once must not be started in a tight loop. */
const RESTART_MS = 1_000;
/** A request that is not answered must not hold up the end. */
const CLOSE_MAX_MS = 2_000;

function troubleOf(
  { status, text, retryMs }: Extract<FromKeeper, { type: 'failed' }>,
  { method, url }: KeeperOptions,
): LongshoreError {
  const isRefused = status !== null && status >= 400 && status < 500 && status !== 429;
  const what = status === null ? `was not answered: ${text}` : `was answered ${status} ${text}`;
  const message = `A lock was not renewed: ${method} ${url} ${what.trimEnd()}. It is tried again in ${Math.round(retryMs)} ms.`;
  const code = isRefused ? 'ENGINE_REFUSED' : 'ENGINE_UNAVAILABLE';
  return new LongshoreError(code, message, { details: { method, url, status, retryMs } });
}
