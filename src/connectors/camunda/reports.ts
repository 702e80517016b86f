import type { Clock } from '../../core/clock.ts';
import type { Json } from '../../core/payload.ts';
import { Backoff, pause } from '../backoff.ts';
import type { Answer, Rest } from '../http/rest.ts';
import type { Say } from '../http/say.ts';
import type { Trouble } from '../http/trouble.ts';
import { Turns } from '../http/turns.ts';
import type { CamundaCounts } from './counts.ts';
import { camundaDialect } from './dialect.ts';
import { type CamundaJob, fence } from './job.ts';

/** What the cluster is told of a job's end. */
export type Report =
  | { readonly kind: 'completion'; readonly variables: Readonly<Record<string, Json>> }
  | {
      readonly kind: 'failure';
      /** Those that are left. */
      readonly retries: number;
      readonly errorMessage: string;
      readonly retryBackOff: number;
    }
  | {
      readonly kind: 'error';
      readonly errorCode: string;
      readonly errorMessage: string;
      readonly variables: Readonly<Record<string, Json>>;
    };

export type Told = 'taken' | 'stale' | 'untold';

interface ReportsOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  /** At the same time. */
  readonly max: number;
  readonly trouble: Trouble;
  readonly counts: CamundaCounts;
  readonly say: Say;
}

/**
 * Tells the cluster how jobs ended, some at a time, and again until it answers: backpressure on polls does not hold them up, as they
 * are what relieves the cluster.
 */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #abort = new AbortController();
  readonly #turns: Turns;

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#turns = new Turns(options.max);
  }

  /** Never rejects. */
  async tell(job: CamundaJob, report: Report): Promise<Told> {
    const { counts, say } = this.#options;
    const told = await this.#untilAnswered(job, report);
    if (told === 'untold') counts.untold += 1;
    if (told === 'stale') {
      counts.stale += 1;
      say(
        'warn',
        `The ${report.kind} of job ${job.jobKey} (${job.type}) was refused: the job is not this worker's any more.`,
        {
          jobKey: job.jobKey,
        },
      );
    }
    return told;
  }

  /** What is not told by now stays so. */
  stop(): void {
    this.#abort.abort();
  }

  async #untilAnswered(job: CamundaJob, report: Report): Promise<Told> {
    const { clock, counts, trouble, rest } = this.#options;
    const { signal } = this.#abort;
    const what = `POST /jobs/${job.jobKey}/${report.kind}`;
    const backoff = new Backoff(RETRY_MAX_MS);
    let unclear = false;
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        const answer = await this.#send(job, report, signal);
        if (answer.ok) {
          trouble.worked();
          return 'taken';
        }
        const { refusal } = answer;
        const meaning = camundaDialect.meaningOf(refusal);
        if (meaning === 'gone') {
          if (unclear) counts.unclear += 1;
          return 'stale';
        }
        const fault = rest.refused(what, refusal);
        if (meaning === 'refused') return await this.#giveUp(job, report, fault);
        waitMs = backoff.next(refusal.retryAfterMs);
        trouble.failed(fault, waitMs);
      } catch (error) {
        if (signal.aborted) break;
        unclear = true;
        waitMs = backoff.next();
        trouble.failed(error, waitMs);
      }
      await pause(clock, waitMs, signal);
    }
    return 'untold';
  }

  /** The cluster does not take what the handler made, such as variables that are too large for it: somebody has to look. */
  async #giveUp(job: CamundaJob, report: Report, error: Error): Promise<Told> {
    this.#options.say('error', error.message, { jobKey: job.jobKey });
    if (report.kind === 'failure') return 'untold';
    return this.#untilAnswered(job, {
      kind: 'failure',
      retries: 0,
      errorMessage: error.message,
      retryBackOff: 0,
    });
  }

  #send(job: CamundaJob, { kind, ...body }: Report, signal: AbortSignal): Promise<Answer> {
    const { rest } = this.#options;
    return this.#turns.run(() =>
      rest.ask('POST', `/jobs/${job.jobKey}/${kind}`, { body: { ...body, ...fence(job) }, signal }),
    );
  }
}

const RETRY_MAX_MS = 5_000;
