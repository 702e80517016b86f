import { baseline, COMPARED, type Phase, pairs, type Row } from './phase.ts';

/** Eight phases, each of which varies one thing, or two where they act on each other. Two hours on two cores. */
export function full(): Phase[] {
  return [
    baseline(),
    workloadTypes(),
    concurrencyScaling(),
    loadScaling(),
    workDuration(),
    interactions(),
    edgeCases(),
    subprocessThreading(),
  ];
}

function workloadTypes(): Phase {
  const alike = { jobs: 20, concurrency: 10, workSeconds: 2, repeats: 3, timeoutSeconds: 120 };
  const rows = pairs(COMPARED, ['cpu', 'io', 'subprocess'] as const).map(
    ([strategy, workload]): Row => ({
      name: `workload_${strategy}_${workload}`,
      strategy,
      workload,
      ...alike,
    }),
  );
  return { phase: '2_workload_types', rows };
}

function concurrencyScaling(): Phase {
  const alike = { jobs: 50, workSeconds: 1, repeats: 3, timeoutSeconds: 180 };
  const rows = pairs(COMPARED, [1, 5, 10, 20, 50]).map(([strategy, concurrency]): Row => {
    const name = `concurrency_${strategy}_${concurrency}`;
    return { name, strategy, workload: 'cpu', concurrency, ...alike };
  });
  return { phase: '3_concurrency_scaling', rows };
}

function loadScaling(): Phase {
  const alike = { concurrency: 20, workSeconds: 1, repeats: 3 };
  const rows = pairs(COMPARED, [10, 20, 50, 100, 200]).map(([strategy, jobs]): Row => {
    const timeoutSeconds = jobs < 100 ? 120 : 240;
    return { name: `load_${strategy}_${jobs}`, strategy, workload: 'cpu', jobs, timeoutSeconds, ...alike };
  });
  return { phase: '4_load_scaling', rows };
}

function workDuration(): Phase {
  const alike = { jobs: 20, concurrency: 10, repeats: 3 };
  const rows = pairs(COMPARED, [0.1, 0.5, 1, 2, 5]).map(([strategy, workSeconds]): Row => {
    const name = `duration_${strategy}_${workSeconds.toFixed(1)}s`;
    // On one core the jobs of 5 s take 100 s.
    const timeoutSeconds = workSeconds < 5 ? 120 : 150;
    return { name, strategy, workload: 'cpu', workSeconds, timeoutSeconds, ...alike };
  });
  return { phase: '5_work_duration', rows };
}

function interactions(): Phase {
  const alike = { jobs: 30, workSeconds: 1, repeats: 3, timeoutSeconds: 180 };
  const varied = pairs(pairs(['cpu', 'io'] as const, [1, 10, 50]), COMPARED);
  const rows = varied.map(([[workload, concurrency], strategy]): Row => {
    const name = `interaction_${strategy}_${workload}_c${concurrency}`;
    return { name, strategy, workload, concurrency, ...alike };
  });
  return { phase: '6_interactions', rows };
}

/** One job alone, many, few slots for many, long ones, many processes, as many slots as jobs. */
function edgeCases(): Phase {
  const cpu = { workload: 'cpu', workSeconds: 1, repeats: 3 } as const;
  const row = (name: string, rest: Omit<Row, 'name'>): Row => ({ name: `edge_${name}`, ...rest });
  const rows = [
    row('single_job', { ...cpu, strategy: 'async', jobs: 1, concurrency: 1, timeoutSeconds: 120 }),
    row('massive_load', {
      ...cpu,
      strategy: 'auto',
      jobs: 500,
      concurrency: 50,
      workSeconds: 0.5,
      repeats: 1,
      timeoutSeconds: 300,
    }),
    row('bottleneck', { ...cpu, strategy: 'thread', jobs: 100, concurrency: 2, timeoutSeconds: 360 }),
    row('long_duration', {
      strategy: 'async',
      workload: 'io',
      jobs: 10,
      concurrency: 5,
      workSeconds: 10,
      repeats: 3,
      timeoutSeconds: 240,
    }),
    row('subprocess_stress', {
      strategy: 'thread',
      workload: 'subprocess',
      jobs: 50,
      concurrency: 20,
      workSeconds: 2,
      repeats: 3,
      timeoutSeconds: 180,
    }),
    row('high_concurrency_async', {
      ...cpu,
      strategy: 'async',
      jobs: 100,
      concurrency: 100,
      workSeconds: 0.5,
      timeoutSeconds: 180,
    }),
  ];
  return { phase: '7_edge_cases', rows };
}

function subprocessThreading(): Phase {
  const alike = { jobs: 20, workSeconds: 1, repeats: 3, timeoutSeconds: 180 };
  const rows = pairs(COMPARED, [5, 20]).map(([strategy, concurrency]): Row => {
    const name = `subprocess_threaded_${strategy}_c${concurrency}`;
    return { name, strategy, workload: 'subprocess_threaded', concurrency, ...alike };
  });
  return { phase: '8_subprocess_threading', rows };
}
