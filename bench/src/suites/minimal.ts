import { COMPARED, type Phase, type Row } from './phase.ts';

/** Does anything work at all? */
export function minimal(): Phase[] {
  const alike = { jobs: 5, concurrency: 5, workSeconds: 0.5, repeats: 1, timeoutSeconds: 30 };
  const rows = COMPARED.map(
    (strategy): Row => ({ name: `smoke_${strategy}`, strategy, workload: 'cpu', ...alike }),
  );
  return [{ phase: 'smoke_test', rows }];
}
