import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What the simulator keeps: plain records, written to a journal where it is to outlive its process. */
export interface Instance {
  readonly key: string;
  readonly processKey: string;
  readonly tenantId: string;
  readonly tags: readonly string[];
  variables: Record<string, unknown>;
  state: 'ACTIVE' | 'COMPLETED' | 'TERMINATED';
  readonly startedAt: number;
}

export interface Job {
  readonly key: string;
  readonly instanceKey: string;
  readonly elementInstanceKey: string;
  readonly elementId: string;
  readonly type: string;
  state: 'CREATED' | 'ACTIVATED' | 'BACKOFF' | 'FAILED' | 'COMPLETED' | 'CANCELED' | 'ERROR_THROWN';
  retries: number;
  /** When the lock or the back-off ends, ms since the epoch. */
  until: number;
  worker: string;
  lease: string | null;
  /** Variables of this job alone, which a failure set. */
  local: Record<string, unknown>;
  /** How often it was given out, and how often its lock ended. */
  activations: number;
  expiries: number;
}

export interface Incident {
  readonly key: string;
  readonly jobKey: string;
  readonly instanceKey: string;
  readonly errorType: 'JOB_NO_RETRIES' | 'UNHANDLED_ERROR_EVENT';
  readonly message: string;
  readonly createdAt: number;
  state: 'ACTIVE' | 'RESOLVED';
}

export interface Deployed {
  readonly key: string;
  readonly version: number;
  readonly resourceName: string;
  readonly xml: string;
}

/** Counts since the simulator was made; for assertions. */
export interface Counts {
  activations: number;
  /** Activations of a job that had been given out before and was neither failed nor handed back. */
  redeliveries: number;
  expiries: number;
  completions: number;
  /** Completions, failures and errors that were refused, since the sender no longer holds the job. */
  stale: number;
  /** Jobs that went into a poll whose client had gone. */
  abandoned: number;
}

type Kind = 'deployed' | 'instance' | 'job' | 'incident';

/** One record a line, the last one of a key counts. Written synchronously: what was answered outlives SIGKILL. */
export class Journal {
  readonly #file: string | null;

  constructor(file: string | null) {
    this.#file = file;
  }

  put(kind: Kind, record: { readonly key: string }): void {
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify([kind, record])}\n`);
  }

  /** The records of before, each once. A half line at the end is left out: nobody was answered for it. */
  read(): { kind: Kind; record: { key: string } }[] {
    if (this.#file === null || !existsSync(this.#file)) return [];
    const found = new Map<string, { kind: Kind; record: { key: string } }>();
    for (const line of readFileSync(this.#file, 'utf8').split('\n').slice(0, -1)) {
      const [kind, record] = JSON.parse(line) as [Kind, { key: string }];
      found.set(record.key, { kind, record });
    }
    return [...found.values()];
  }
}
