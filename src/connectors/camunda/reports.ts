import type { Clock } from '../../core/clock.ts';
import type { Json } from '../../core/payload.ts';
import { backoffMs, pause } from './backoff.ts';
import type { CamundaCounts } from './counts.ts';
import { meaningOf, refused } from './faults.ts';
import { type CamundaJob, fence } from './job.ts';
import type { Answer, Rest } from './rest.ts';
import type { Say } from './say.ts';
import type { Trouble } from './trouble.ts';

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
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** That are not told yet. */
  get pending(): number {
    return this.#underWay + this.#waiting.length;
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
    let unclear = false;
    for (let failures = 1; !signal.aborted; failures += 1) {
      let waitMs = 0;
      try {
        const answer = await this.#send(job, report, signal);
        if (answer.ok) {
          trouble.worked();
          return 'taken';
        }
        const { refusal } = answer;
        const meaning = meaningOf(refusal);
        if (meaning === 'gone') {
          if (unclear) counts.unclear += 1;
          return 'stale';
        }
        if (meaning === 'refused')
          return await this.#giveUp(job, report, refused(rest.address, what, refusal));
        waitMs = backoffMs(failures, refusal.retryAfterMs, Math.random);
        trouble.failed(refused(rest.address, what, refusal), waitMs);
      } catch (error) {
        if (signal.aborted) break;
        unclear = true;
        waitMs = backoffMs(failures, null, Math.random);
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

  async #send(job: CamundaJob, { kind, ...body }: Report, signal: AbortSignal): Promise<Answer> {
    const { rest, max } = this.#options;
    if (this.#underWay >= max) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#underWay += 1;
    try {
      return await rest.ask('POST', `/jobs/${job.jobKey}/${kind}`, {
        body: { ...body, ...fence(job) },
        signal,
      });
    } finally {
      // Whoever waits takes this place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay -= 1;
      else next();
    }
  }
}
