import { COMPARED, type Phase, pairs, type Row } from './phase.ts';

/** Every kind of workload and most phases of `full` in small: a minute or two. */
export function fast(): Phase[] {
  return [baseline(), workload(), concurrency(), load(), interaction(), subprocess()];
}

const FEW = { jobs: 5, concurrency: 5, workSeconds: 0.5, repeats: 1, timeoutSeconds: 30 };

function baseline(): Phase {
  const rows = COMPARED.map(
    (strategy): Row => ({ name: `fast_baseline_${strategy}`, strategy, workload: 'cpu', ...FEW }),
  );
  return { phase: 'fast_baseline', rows };
}

function workload(): Phase {
  const rows = COMPARED.map(
    (strategy): Row => ({ name: `fast_workload_io_${strategy}`, strategy, workload: 'io', ...FEW }),
  );
  return { phase: 'fast_workload', rows };
}

function concurrency(): Phase {
  const alike = { jobs: 10, workSeconds: 0.3, repeats: 1, timeoutSeconds: 30 };
  const rows = pairs([1, 20], COMPARED).map(([at, strategy]): Row => {
    const name = `fast_conc_${at}_${strategy}`;
    return { name, strategy, workload: 'cpu', concurrency: at, ...alike };
  });
  return { phase: 'fast_concurrency', rows };
}

function load(): Phase {
  const alike = { concurrency: 10, workSeconds: 0.3, repeats: 1, timeoutSeconds: 60 };
  const rows = pairs([20, 50], COMPARED).map(
    ([jobs, strategy]): Row => ({
      name: `fast_load_${jobs}_${strategy}`,
      strategy,
      workload: 'cpu',
      jobs,
      ...alike,
    }),
  );
  return { phase: 'fast_load', rows };
}

function interaction(): Phase {
  const alike = { jobs: 50, concurrency: 20, workSeconds: 0.2, repeats: 1, timeoutSeconds: 60 };
  const rows = COMPARED.map(
    (strategy): Row => ({ name: `fast_interaction_${strategy}`, strategy, workload: 'cpu', ...alike }),
  );
  return { phase: 'fast_interaction', rows };
}

function subprocess(): Phase {
  return {
    phase: 'fast_subprocess',
    rows: [
      { name: 'fast_subprocess', strategy: 'async', workload: 'subprocess', ...FEW },
      { name: 'fast_subprocess_threaded', strategy: 'thread', workload: 'subprocess_threaded', ...FEW },
    ],
  };
}
