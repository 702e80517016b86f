import { baseline, COMPARED, type Phase, pairs, type Row } from './phase.ts';

/** The questions of `full` that show most, most of them asked once: some minutes. */
export function quick(): Phase[] {
  return [baseline(), concurrency(), workload()];
}

function concurrency(): Phase {
  const alike = { jobs: 20, workSeconds: 1, repeats: 1, timeoutSeconds: 120 };
  const rows = pairs(COMPARED, [1, 10, 50]).map(([strategy, at]): Row => {
    const name = `quick_conc_${strategy}_${at}`;
    return { name, strategy, workload: 'cpu', concurrency: at, ...alike };
  });
  return { phase: 'quick_concurrency', rows };
}

function workload(): Phase {
  const alike = { jobs: 10, concurrency: 10, workSeconds: 1, repeats: 1, timeoutSeconds: 120 };
  const rows = (['cpu', 'io'] as const).map(
    (one): Row => ({ name: `quick_workload_${one}`, strategy: 'async', workload: one, ...alike }),
  );
  return { phase: 'quick_workload', rows };
}
