/**
 * The table of docs/adr/0008-control-law.md: the control law beside a threshold switch on simulated plants.
 *
 *   node test/tuner/programs/compare.ts
 */
import { END_MS, type Figures, figuresOf, PLANTS, SETTINGS } from '../cases.ts';
import { Controlled, type Plant, type Policy, simulate, ThresholdSwitch } from '../plants.ts';

const CHANGED_AT: Readonly<Record<string, number>> = { dearer: 30_000, cheaper: 30_000, foreign: 30_000 };

console.log('| plant | control law | changes | switch, 50 ms | switch, 5 ms |');
console.log('|---|---|---|---|---|');
for (const [key, plant] of Object.entries<Plant>(PLANTS)) {
  const policies: Policy[] = [
    new Controlled(SETTINGS),
    new ThresholdSwitch(SETTINGS),
    new ThresholdSwitch({ ...SETTINGS, rampMs: 5 }),
  ];
  const [control, ...others] = policies.map((policy) =>
    figuresOf(simulate(plant, policy, END_MS), policy, SETTINGS.targetCpu, CHANGED_AT[key]),
  );
  if (control === undefined) continue;
  const cells = [plant.name, cell(control), control.changes, ...others.map(cell)];
  console.log(`| ${cells.join(' | ')} |`);
}

/** Settled after, over the target, use, jobs at once, memory where it is the plant's matter. */
function cell({ settledMs, over, use, most, fewest, memoryMax }: Figures): string {
  const settled = settledMs === null ? 'never' : `${(settledMs / 1_000).toFixed(0)} s`;
  const points = over > 0.005 ? `+${Math.round(over * 100)}` : '0';
  const jobs = `${Math.round(fewest)}–${Math.round(most)}`;
  const memory = memoryMax > 0.21 ? `, memory ${memoryMax.toFixed(2)}` : '';
  return `${settled}, ${points}, ${use.toFixed(2)}, ${jobs}${memory}`;
}
