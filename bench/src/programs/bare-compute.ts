import { compute } from '../engines/work-units.ts';
import { program } from '../program.ts';

/** Nothing but the work, one unit after the other: what the machine can do at best. */
export interface BareSettings {
  readonly steps: number;
  readonly count: number;
}

program<BareSettings, number>(async ({ steps, count }) => {
  let sum = 0;
  for (let done = 0; done < count; done += 1) sum += compute(steps) & 1;
  return sum;
});
