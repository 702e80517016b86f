import type { Json } from '../../core/payload.ts';
import { type BpmnErrorFacts, bpmnErrorOf } from '../../engine/bpmn-error.ts';
import type { Ended } from '../../engine/work.ts';
import { systemClock } from '../../system-clock.ts';
import { Backoff, pause } from '../backoff.ts';
import type { Answer, Rest } from '../http/rest.ts';
import { Turns } from '../http/turns.ts';
import { operatonDialect } from './dialect.ts';
import { attemptsOf } from './external-task.ts';
import type { Held } from './held.ts';
import type { OperatonTally } from './tally.ts';
import { writeVariables } from './variables.ts';

/**
 * Tells the engine how tasks ended, some at a time. What the engine cannot take now is told again for as long as this worker holds the lock;
 * what it refuses for good becomes a failure of the task, so that the engine's own retries and incidents apply.
 */
export interface ReportsMeans {
  readonly rest: Rest;
  readonly workerId: string;
  /** Most reports under way at the same time. */
  readonly max: number;
  /** The engine could not be told, or could again. */
  readonly onTrouble: (error: unknown) => void;
}

/** How a task ended at the engine. */
export interface End {
  readonly as: keyof OperatonTally;
  /** The engine keeps the task under this worker's lock for so long, until it is due again. */
  readonly restMs: number;
}

const LOST: End = { as: 'lost', restMs: 0 };
const UNCONFIRMED: End = { as: 'unconfirmed', restMs: 0 };

interface Report {
  readonly path: 'complete' | 'failure' | 'bpmnError' | 'extendLock' | 'unlock';
  readonly body: Readonly<Record<string, unknown>>;
  /** Where the engine takes it. */
  readonly end: End;
}

export class Reports {
  readonly #means: ReportsMeans;
  readonly #turns: Turns;
  readonly #giveUp = new AbortController();

  constructor(means: ReportsMeans) {
    this.#means = means;
    this.#turns = new Turns(means.max);
  }

  /** Reports that are under way or wait for their turn. */
  get pending(): number {
    return this.#turns.pending;
  }

  /** Never rejects. */
  async tell(held: Held, ended: Ended): Promise<End> {
    if (held.isLost || ended.state === 'cancelled' || ended.state === 'lost') return LOST;
    return this.#turns.run(() => this.#send(held, reportOf(held, ended), false));
  }

  /** The reports that the engine does not take now are given up; their locks end by themselves. */
  giveUp(): void {
    this.#giveUp.abort();
    // Ends what is under way; a signal for each request would cost as much as a tenth of it.
    this.#means.rest.close();
  }

  async #send(held: Held, report: Report, isSecond: boolean): Promise<End> {
    const { rest, workerId, onTrouble } = this.#means;
    const path = `/external-task/${encodeURIComponent(held.id)}/${report.path}`;
    const body = { workerId, ...report.body };
    const backoff = new Backoff(RETRY_MAX_MS);
    let isUnclear = false;
    for (;;) {
      const answer = await this.#ask(path, body);
      if (answer?.ok === true) return report.end;
      if (answer === null) isUnclear = true;
      else {
        const meaning = operatonDialect.meaningOf(answer.refusal);
        if (meaning === 'gone') return isUnclear ? UNCONFIRMED : LOST;
        const error = rest.refused(report.path, answer.refusal);
        if (meaning === 'refused') {
          // A failure that is refused as well cannot be told in any way.
          if (isSecond || report.path === 'unlock') return LOST;
          return this.#send(held, failure(held, error, true), true);
        }
        if (meaning !== 'conflict') onTrouble(error);
      }
      if (this.#giveUp.signal.aborted) return LOST;
      await pause(systemClock, backoff.next(), AbortSignal.any([this.#giveUp.signal, held.signal]));
      if (held.isLost) return isUnclear ? UNCONFIRMED : LOST;
    }
  }

  /** Null where no answer came: the engine may have taken it all the same. */
  async #ask(path: string, body: unknown): Promise<Answer | null> {
    try {
      return await this.#means.rest.ask('POST', path, { body });
    } catch (error) {
      this.#means.onTrouble(error);
      return null;
    }
  }
}

const RETRY_MAX_MS = 5_000;

function reportOf(held: Held, ended: Exclude<Ended, { state: 'cancelled' | 'lost' }>): Report {
  switch (ended.state) {
    case 'completed':
      return completion(held, ended.result);
    case 'failed': {
      const error = bpmnErrorOf(ended.error);
      return error === null
        ? failure(held, ended.error, ended.retry, ended.retryInMs)
        : bpmnError(held, error);
    }
    // The lock lasts until the task is due again: no attempt is charged, and no failure is written down.
    case 'snoozed': {
      const restMs = Math.max(1, Math.round(ended.delayMs));
      return { path: 'extendLock', body: { newDuration: restMs }, end: { as: 'snoozed', restMs } };
    }
    case 'released':
      return { path: 'unlock', body: {}, end: { as: 'released', restMs: 0 } };
  }
}

function completion(held: Held, result: Json | undefined): Report {
  const { scope = 'process' } = held.topic;
  try {
    const variables = writeVariables(result, held.topic);
    const body = scope === 'local' ? { localVariables: variables } : { variables };
    return { path: 'complete', body, end: { as: 'completed', restMs: 0 } };
  } catch (error) {
    return failure(held, error as Error, false);
  }
}

/** With a boundary event that catches it the process goes on there. */
function bpmnError(held: Held, { errorCode, message, variables }: BpmnErrorFacts): Report {
  try {
    const written = writeVariables({ ...variables }, { types: held.topic.types });
    const body = { errorCode, errorMessage: message, variables: written };
    return { path: 'bpmnError', body, end: { as: 'bpmnErrors', restMs: 0 } };
  } catch (error) {
    return failure(held, error as Error, false);
  }
}

/** No retries left make an incident. */
function failure(held: Held, error: Error, retry: boolean, retryInMs = 1_000): Report {
  const { left } = attemptsOf(held.task, held.topic.task.attempts);
  const retries = retry ? left : 0;
  const restMs = retries === 0 ? 0 : Math.round(retryInMs);
  return {
    path: 'failure',
    body: {
      errorMessage: `${error.name}: ${error.message}`,
      errorDetails: error.stack ?? '',
      retries,
      retryTimeout: restMs,
    },
    end: { as: retries === 0 ? 'failed' : 'retried', restMs },
  };
}
