import type { Cell, Target } from './document.ts';
import { medianOf } from './ratio.ts';
import type { TargetRule } from './workload.ts';

/** Judges the targets of a workload: each by every cell whose settings are as it says. */
export function judge(rules: readonly TargetRule[], cells: readonly Cell[]): Target[] {
  return rules.flatMap(({ name, where, figure, operator, limit, unit }) =>
    cells
      .filter((cell) => Object.entries(where).every(([setting, value]) => settingOf(cell, setting) === value))
      .map((cell) => {
        const values = cell.figures[figure]?.values ?? [];
        const value = values.length === 0 ? null : medianOf(values);
        const passed = value !== null && (operator === '>' ? value > limit : value < limit);
        return { name, cell: cell.id, figure, operator, limit, unit, value, passed };
      }),
  );
}

function settingOf(cell: Cell, name: string): unknown {
  return name === 'trial' ? cell.benchmark : cell.workload[name];
}
