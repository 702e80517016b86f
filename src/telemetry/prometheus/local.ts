import type { Events } from '../events.ts';
import type { Family } from './family.ts';
import type { LocalWorker, MetricsSource } from './source.ts';

/** Gauges of this process: its slots, its lanes, its tuner, what its workers are in trouble with. Returns what ends it. */
export function gaugeProcess(source: MetricsSource, family: Family): () => void {
  const workers = (): readonly LocalWorker[] => source.localWorkers();
  const sum = (name: string, help: string, of: (worker: LocalWorker) => number): void => {
    const gauge = family.gauge(name, help, [], () =>
      gauge.set(workers().reduce((total, worker) => total + of(worker), 0)),
    );
  };
  sum('longshore_workers_started', 'Workers of this process that are started.', () => 1);
  sum(
    'longshore_leader',
    '1 in the process whose worker does the maintenance, and tells of the whole database.',
    ({ leading }) => Number(leading),
  );
  sum('longshore_jobs_running', 'Handlers that run in this process.', ({ running }) => running);
  sum('longshore_slots', 'How many jobs may run at a time in this process.', ({ slots }) => slots.total);
  sum('longshore_slots_used', 'Slots of this process that are taken.', ({ slots }) => slots.used);
  gaugeTroubles(workers, family);
  gaugeLanes(workers, family);
  const ends = [gaugeHosts(source, family), gaugeTuner(source, family)];
  return () => {
    for (const end of ends) end();
  };
}

function gaugeTroubles(workers: () => readonly LocalWorker[], family: Family): void {
  const gauge = family.gauge(
    'longshore_worker_troubles',
    'Workers of this process that cannot claim, beat or settle now.',
    ['verb'],
    () => {
      const all = workers();
      for (const verb of ['claim', 'beat', 'settle'])
        gauge.set({ verb }, all.filter(({ troubles }) => troubles.includes(verb)).length);
    },
  );
}

function gaugeLanes(workers: () => readonly LocalWorker[], family: Family): void {
  const gauge = family.gauge(
    'longshore_task_lane',
    '1 for the lane in which the jobs of a task run.',
    ['task', 'lane'],
    () => {
      gauge.reset();
      const labels = family.labels('tasks', (task) => task as string);
      for (const { task, lane } of workers().flatMap(({ lanes }) => lanes))
        gauge.set({ task: labels.one(task), lane }, 1);
    },
  );
}

function gaugeHosts(source: MetricsSource, family: Family): () => void {
  const live = new Map<string, number>([
    ['thread', 0],
    ['process', 0],
  ]);
  const gauge = family.gauge('longshore_hosts', 'Threads and child processes for handlers.', ['lane'], () => {
    for (const [lane, hosts] of live) gauge.set({ lane }, Math.max(0, hosts));
  });
  const add =
    (change: number) =>
    ({ lane }: { readonly lane: string }): void => {
      live.set(lane, (live.get(lane) ?? 0) + change);
    };
  const ends = [source.on('host.started', add(1)), source.on('host.ended', add(-1))];
  return () => {
    for (const end of ends) end();
  };
}

/** Absent where slots are a fixed number. */
function gaugeTuner(source: MetricsSource, family: Family): () => void {
  let last: Events['tuner.sampled'] | null = null;
  const gauge = (name: string, help: string, of: (sample: Events['tuner.sampled']) => number): void => {
    const made = family.gauge(name, help, [], () => {
      if (last === null) made.remove();
      else made.set(of(last));
    });
  };
  gauge(
    'longshore_tuner_cpu_ratio',
    'Share of the processor that is used, 0 to 1, as the tuner sees it.',
    ({ cpu }) => cpu,
  );
  gauge(
    'longshore_tuner_memory_ratio',
    'Share of memory that is used, 0 to 1, as the tuner sees it.',
    ({ memory }) => memory,
  );
  gauge('longshore_tuner_slots', 'Slots that the tuner decided on.', ({ total }) => total);
  gauge('longshore_tuner_slots_open', 'Slots that are open already.', ({ open }) => open);
  return source.on('tuner.sampled', (sample) => {
    last = sample;
  });
}
