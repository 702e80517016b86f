import { LongshoreError } from '../core/errors.ts';
import { ECHO_BPMN } from './echo-bpmn.ts';
import type { LoadTarget } from './generate.ts';

/** What it asks of the engine; `Rest` of the connector is one. */
export interface EngineCalls {
  call(
    path: string,
    options?: { readonly method?: 'GET' | 'POST'; readonly body?: unknown },
  ): Promise<unknown>;
  deploy(name: string, bpmn: string): Promise<void>;
  close(): void;
}

interface Waiting {
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
}

/** How often the engine is asked which instances have ended: as exact as times can be here. */
const LOOK_MS = 50;

/**
 * Process instances of Operaton: each ends when a worker has done its external tasks. One question tells of all that are under
 * way, so watching costs the engine little.
 */
export class OperatonTarget implements LoadTarget {
  readonly noun = 'Processes';
  readonly #engine: EngineCalls;
  readonly #process: string;
  readonly #variables: object;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | null = null;

  private constructor(engine: EngineCalls, process: string, message: string) {
    this.#engine = engine;
    this.#process = process;
    this.#variables = { message: { value: message, type: 'String' } };
  }

  /** Deploys a process of one external task, topic `echo`, where `process` is not given. */
  static async open(
    engine: EngineCalls,
    process: string | undefined,
    message: string,
  ): Promise<OperatonTarget> {
    if (process === undefined) await engine.deploy('longshore-echo', ECHO_BPMN);
    return new OperatonTarget(engine, process ?? 'longshore-echo', message);
  }

  async run(_number: number, signal: AbortSignal): Promise<void> {
    const path = `/process-definition/key/${encodeURIComponent(this.#process)}/start`;
    const started = (await this.#engine.call(path, { body: { variables: this.#variables } })) as {
      id: string;
      ended: boolean;
    };
    if (started.ended) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.delete(started.id);
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      const settle = (): void => signal.removeEventListener('abort', stop);
      this.#waiting.set(started.id, {
        end: () => {
          settle();
          resolve();
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
      this.#lookLater();
    });
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#engine.close();
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    const asked = [...this.#waiting.keys()];
    try {
      const running = await this.#running(asked);
      for (const id of asked) if (!running.has(id)) this.#settle(id, null);
    } catch (error) {
      if (!(error instanceof LongshoreError && error.retryable))
        for (const id of asked) this.#settle(id, error);
    }
    this.#timer = null;
    if (this.#waiting.size > 0) this.#lookLater();
  }

  async #running(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = (await this.#engine.call('/process-instance', {
      body: { processInstanceIds: ids },
    })) as readonly { id: string }[];
    return new Set(found.map(({ id }) => id));
  }

  #settle(id: string, error: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === null) waiting?.end();
    else waiting?.fail(error);
  }
}
