/**
 * The table of docs/adr/0008-control-law.md: the control law beside a threshold switch on simulated plants.
 *
 *   node test/tuner/programs/compare.ts
 */
import { END_MS, type Figures, figuresOf, PLANTS, SETTINGS } from '../cases.ts';
import { Controlled, type Plant, type Policy, simulate, ThresholdSwitch } from '../plants.ts';

const CHANGED_AT: Readonly<Record<string, number>> = { dearer: 30_000, cheaper: 30_000, foreign: 30_000 };

console.log('| plant | | settled after | over | use | jobs at once | memory | changes |');
console.log('|---|---|---|---|---|---|---|---|');
for (const [key, plant] of Object.entries<Plant>(PLANTS)) {
  const policies: [string, Policy][] = [
    ['control', new Controlled(SETTINGS)],
    ['switch, 50 ms', new ThresholdSwitch(SETTINGS)],
    ['switch, 5 ms', new ThresholdSwitch({ ...SETTINGS, rampMs: 5 })],
  ];
  for (const [name, policy] of policies) {
    const marks = simulate(plant, policy, END_MS);
    const figures = figuresOf(marks, policy, SETTINGS.targetCpu, CHANGED_AT[key]);
    console.log(`| ${name === 'control' ? plant.name : ''} | ${row(name, figures)} |`);
  }
}

function row(name: string, figures: Figures): string {
  const { settledMs, over, use, most, fewest, memoryMax, changes } = figures;
  const settled = settledMs === null ? 'never' : `${(settledMs / 1_000).toFixed(1)} s`;
  const cells = [
    settled,
    over > 0 ? `+${Math.round(over * 100)}` : `${Math.round(over * 100)}`,
    use.toFixed(2),
    `${Math.round(fewest)}–${Math.round(most)}`,
    memoryMax.toFixed(2),
    name === 'control' ? `${changes}` : '',
  ];
  return `${name} | ${cells.join(' | ')}`;
}
