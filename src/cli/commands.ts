import type { CliCommand } from './command.ts';

/** Every command: its place in the help, and where its code is. The code is loaded when the command is used. */
export interface CommandEntry {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<CliCommand<never>>;
}

const RUN = 'Run jobs:';
const ENGINES = 'Run jobs of workflow engines:';
const LOOK = 'Look:';
const FLOWS = 'Flows:';
const ACT = 'Act on jobs:';
const QUEUES = 'Act on queues:';
const STORE = 'Look after the store:';

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'work',
    group: RUN,
    summary: 'run jobs with the tasks of a file or folder',
    load: async () => (await import('./commands/work.ts')).work,
  },
  {
    name: 'enqueue',
    group: RUN,
    summary: 'add a job, or one for each line of JSON',
    load: async () => (await import('./commands/enqueue.ts')).enqueue,
  },
  {
    name: 'tasks',
    group: RUN,
    summary: 'list what the task files define',
    load: async () => (await import('./commands/tasks.ts')).tasks,
  },
  {
    name: 'schedules',
    group: RUN,
    summary: 'list, preview, set, pause or run what starts jobs at set times',
    load: async () => (await import('./commands/schedules.ts')).schedules,
  },
  {
    name: 'temporal',
    group: ENGINES,
    summary: 'run activities of a Temporal server in these lanes, or put load on it',
    load: async () => (await import('./commands/temporal.ts')).temporal,
  },
  {
    name: 'operaton',
    group: ENGINES,
    summary: 'run external tasks of Operaton or Camunda 7',
    load: async () => (await import('./commands/operaton.ts')).operaton,
  },
  {
    name: 'load',
    group: RUN,
    summary: 'put load on a store or an engine, and measure it',
    load: async () => (await import('./commands/load.ts')).load,
  },
  {
    name: 'camunda',
    group: ENGINES,
    summary: 'run jobs of a Camunda 8 cluster, or measure workers on it',
    load: async () => (await import('./commands/camunda.ts')).camunda,
  },
  {
    name: 'jobs',
    group: LOOK,
    summary: 'list jobs, the newest first',
    load: async () => (await import('./commands/jobs.ts')).jobs,
  },
  {
    name: 'job',
    group: LOOK,
    summary: 'show one job with its errors, log and audit trail',
    load: async () => (await import('./commands/job.ts')).job,
  },
  {
    name: 'trace',
    group: LOOK,
    summary: 'show where the time of a request, a run or a job went',
    load: async () => (await import('./commands/trace.ts')).trace,
  },
  {
    name: 'why',
    group: LOOK,
    summary: 'tell why a job, or a step of a run, does not run',
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'queues',
    group: LOOK,
    summary: 'list queues with their jobs by state',
    load: async () => (await import('./commands/queues.ts')).queues,
  },
  {
    name: 'workers',
    group: LOOK,
    summary: 'list workers, alive and dead',
    load: async () => (await import('./commands/workers.ts')).workers,
  },
  {
    name: 'advise',
    group: LOOK,
    summary: 'say which strategy, slots, prefetch and retention fit what the store has seen',
    load: async () => (await import('./commands/advise.ts')).advise,
  },
  {
    name: 'serve',
    group: LOOK,
    summary: 'serve the HTTP API and the page, for this machine alone unless tokens are given',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'dashboard',
    group: LOOK,
    summary: 'serve the page on which people look and act, and the HTTP API with it',
    load: async () => (await import('./commands/serve.ts')).dashboard,
  },
  {
    name: 'start',
    group: FLOWS,
    summary: 'start a run of a flow that the task files define',
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    name: 'flows',
    group: FLOWS,
    summary: 'list runs of flows, the newest first',
    load: async () => (await import('./commands/flows.ts')).flows,
  },
  {
    name: 'flow',
    group: FLOWS,
    summary: 'show one run as a tree of its steps; act on it by hand',
    load: async () => (await import('./commands/flow.ts')).flow,
  },
  {
    name: 'signal',
    group: FLOWS,
    summary: 'send a signal to a run or a job that waits for it',
    load: async () => (await import('./commands/signal.ts')).signal,
  },
  {
    name: 'cancel',
    group: ACT,
    summary: 'cancel waiting jobs, ask running ones to stop',
    load: async () => (await import('./commands/cancel.ts')).cancel,
  },
  {
    name: 'redrive',
    group: ACT,
    summary: 'run failed jobs again, with fresh attempts',
    load: async () => (await import('./commands/redrive.ts')).redrive,
  },
  {
    name: 'resolve',
    group: ACT,
    summary: 'count failed jobs as completed, with a result by hand',
    load: async () => (await import('./commands/resolve.ts')).resolve,
  },
  {
    name: 'remove',
    group: ACT,
    summary: 'delete jobs that are not running',
    load: async () => (await import('./commands/remove.ts')).remove,
  },
  {
    name: 'pause',
    group: QUEUES,
    summary: 'stop claiming from queues, on every machine',
    load: async () => (await import('./commands/pause.ts')).pause,
  },
  {
    name: 'resume',
    group: QUEUES,
    summary: 'claim from paused queues again',
    load: async () => (await import('./commands/resume.ts')).resume,
  },
  {
    name: 'limit',
    group: QUEUES,
    summary: 'show or set how many jobs of a queue run and start, in all and per key',
    load: async () => (await import('./commands/limit.ts')).limit,
  },
  {
    name: 'drain',
    group: QUEUES,
    summary: 'delete the waiting jobs of a queue',
    load: async () => (await import('./commands/drain.ts')).drain,
  },
  {
    name: 'obliterate',
    group: QUEUES,
    summary: 'delete every job of a queue, finished ones too',
    load: async () => (await import('./commands/obliterate.ts')).obliterate,
  },
  {
    name: 'migrate',
    group: STORE,
    summary: "bring the store's layout up to date",
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  {
    name: 'doctor',
    group: STORE,
    summary: 'look for what may be wrong, changing nothing',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'bench',
    group: STORE,
    summary: 'find how a task of yours runs best on this machine (package longshore-bench)',
    load: async () => (await import('./bench-package.ts')).bench,
  },
];
