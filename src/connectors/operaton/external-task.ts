import { LongshoreError } from '../../core/errors.ts';
import { fromDate, type Variables } from './variables.ts';

/** An external task as the engine gives it out: what is read of it, and nothing more is relied on. */
export interface ExternalTask {
  readonly id: string;
  readonly topicName: string;
  readonly variables: Variables;
  /** Attempts left; null as long as none failed. */
  readonly retries: number | null;
  readonly priority: number;
  readonly businessKey: string | null;
  readonly processInstanceId: string;
  readonly processDefinitionId: string;
  readonly processDefinitionKey: string;
  readonly activityId: string;
  readonly executionId: string;
  readonly tenantId: string | null;
  /** `2030-01-31T09:00:00.000+0100`. */
  readonly createTime?: string | null;
  readonly lockExpirationTime?: string | null;
  /** Where the topic asks for them. */
  readonly extensionProperties?: Readonly<Record<string, string>> | null;
}

export interface Attempts {
  /** From 1. */
  readonly attempt: number;
  readonly attemptsMax: number;
  /** After this one. */
  readonly left: number;
}

/**
 * Which attempt this is. The engine counts down what is left and does not know of a first one: the task says how many there
 * are. Somebody who resolves an incident may have set more.
 */
export function attemptsOf({ retries }: Pick<ExternalTask, 'retries'>, attempts: number): Attempts {
  const remaining = Math.max(1, retries ?? attempts);
  const attemptsMax = Math.max(attempts, remaining);
  return { attempt: attemptsMax - remaining + 1, attemptsMax, left: remaining - 1 };
}

/** Ms since the epoch; undefined where the engine does not tell. */
export function createdAt({ createTime }: ExternalTask): number | undefined {
  return typeof createTime === 'string' ? msOf(createTime) : undefined;
}

/** Ms since the epoch by the engine's clock; undefined where it does not tell. */
export function lockedUntil({ lockExpirationTime }: ExternalTask): number | undefined {
  return typeof lockExpirationTime === 'string' ? msOf(lockExpirationTime) : undefined;
}

function msOf(date: string): number | undefined {
  const ms = Date.parse(fromDate(date));
  return Number.isNaN(ms) ? undefined : ms;
}

/** Business keys are what people look for; they may be longer than an id of ours. */
export function correlationIdOf({ businessKey, processInstanceId }: ExternalTask): string {
  return businessKey !== null && /^[^\p{Cc}]{1,200}$/u.test(businessKey) ? businessKey : processInstanceId;
}

/** The answer to a fetch, checked as far as the worker relies on it. Throws ENGINE_UNSUPPORTED. */
export function requireTasks(answer: unknown): readonly ExternalTask[] {
  if (Array.isArray(answer) && answer.every(isTask)) return answer;
  throw new LongshoreError(
    'ENGINE_UNSUPPORTED',
    'The answer to fetchAndLock is no list of external tasks. Check the address: it is that of the REST API of Operaton or Camunda 7, such as http://localhost:8080/engine-rest.',
  );
}

function isTask(value: unknown): value is ExternalTask {
  const task = value as Partial<ExternalTask> | null;
  return (
    typeof task === 'object' &&
    task !== null &&
    typeof task.id === 'string' &&
    typeof task.topicName === 'string' &&
    typeof task.variables === 'object' &&
    task.variables !== null
  );
}
