import Type, { type Static } from 'typebox';
import type { JobDetail, JobView } from '../../queue/job-view.ts';
import { AttemptErrorForm, Closed, Nullable, Payload, State, Time } from '../forms.ts';

/** A job as the API shows it. */
const MetaForm = Closed({
  correlationId: Nullable(Type.String()),
  traceparent: Nullable(Type.String()),
  tracestate: Nullable(Type.String()),
  tags: Type.Array(Type.String()),
  schedule: Nullable(Type.String()),
  scheduledAt: Nullable(Time),
  backoff: Type.Unknown({ description: 'Milliseconds, or a policy; null: the one of the task' }),
  timeoutMs: Nullable(Type.Number()),
  corrupt: Type.Optional(Type.String({ description: 'What cannot be read' })),
});

const SUMMARY = {
  id: Type.String(),
  seq: Type.Integer({ description: 'Grows with every job' }),
  queue: Type.String(),
  task: Type.String(),
  state: State,
  priority: Type.Integer({ description: 'Lower runs first' }),
  attempt: Type.Integer({ description: 'Number of the last attempt; 0 before the first' }),
  attemptsMax: Type.Integer(),
  crashes: Type.Integer({ description: 'Workers that fell silent with the job' }),
  createdAt: Time,
  dueAt: Time,
  startedAt: Nullable(Time),
  finishedAt: Nullable(Time),
  uniqueKey: Nullable(Type.String()),
  key: Nullable(Type.String()),
  held: Type.Boolean({ description: 'Ready, but waits for the turn of its key' }),
  cancelRequested: Type.Boolean(),
  workerId: Nullable(Type.String()),
  leaseExpiresAt: Nullable(Time),
  meta: Nullable(MetaForm),
};

const SUMMARY_NAMES = Object.keys(SUMMARY) as readonly (keyof typeof SUMMARY)[];
const PAYLOADS = { input: Payload, result: Payload, progress: Payload };

export const JobSummaryForm = Closed(SUMMARY);

/** With payloads where they were asked for. */
export const JobItemForm = Closed({
  ...SUMMARY,
  input: Type.Optional(Payload),
  result: Type.Optional(Payload),
  progress: Type.Optional(Payload),
});

export const LogLineForm = Closed({
  at: Time,
  attempt: Type.Integer(),
  message: Type.String(),
  data: Payload,
});

export const AuditForm = Closed({
  at: Time,
  action: Type.String(),
  by: Type.String(),
  why: Nullable(Type.String()),
  from: State,
  to: Nullable(State),
});

const DurableStepForm = Closed({
  name: Type.String(),
  kind: Type.Enum(['step', 'sleep', 'signal']),
  state: Type.Enum(['kept', 'waiting', 'timedOut', 'slept']),
  at: Nullable(Time),
  until: Nullable(Time),
  /** Under the name that redaction knows. */
  result: Payload,
});

export const JobForm = Closed({
  ...SUMMARY,
  ...PAYLOADS,
  errors: Type.Array(AttemptErrorForm, { description: 'Of attempts, oldest first' }),
  errorsOmitted: Type.Integer({ description: 'Left out between the first 10 and the last 90' }),
  logs: Type.Array(LogLineForm),
  logsOmitted: Type.Integer({ description: 'Left out before the first' }),
  audit: Type.Array(AuditForm, { description: 'What was done by hand' }),
  steps: Type.Array(DurableStepForm, {
    description: 'Durable steps that were kept, and what the job waits for',
  }),
});

export function jobSummary(job: JobView): Static<typeof JobSummaryForm> {
  // Only what the form names: what views of jobs get later is not sent unseen.
  const facts = Object.fromEntries(SUMMARY_NAMES.map((name) => [name, job[name]]));
  return facts as Static<typeof JobSummaryForm>;
}

export function jobItem(job: JobView): Static<typeof JobItemForm> {
  return { ...jobSummary(job), ...payloadsOf(job) };
}

export function jobAnswer(job: JobDetail): Static<typeof JobForm> {
  const { errors, errorsOmitted, logs, logsOmitted, audit, steps } = job;
  return {
    ...jobSummary(job),
    ...payloadsOf(job),
    errors: [...errors],
    errorsOmitted,
    logs: logs.map((line) => ({ ...line, data: line.data ?? null })),
    logsOmitted,
    audit: [...audit],
    steps: steps.map(({ value, ...step }) => ({ ...step, result: value ?? null })),
  };
}

/** JSON has no `undefined`. */
function payloadsOf({ input, result, progress }: JobView) {
  return { input: input ?? null, result: result ?? null, progress: progress ?? null };
}
