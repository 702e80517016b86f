import type { Whose } from '../chart.ts';
import { recordAt, textAt } from '../fields.ts';
import { isOwn, STORES, systemLabel } from '../labels.ts';
import type { Fields } from '../result.ts';

/** A cell with what tells it from the others of its benchmark. */
export interface LabelledCell {
  readonly cell: Fields;
  readonly workload: Fields;
  readonly system: string;
  /** The store, where cells are of several; else empty. */
  readonly group: string;
  /** System and settings that vary. */
  readonly label: string;
  readonly whose: Whose;
  /** The label without one of the settings: cells that differ in that alone are one line. */
  without(setting: string): string;
}

export function labelled(cells: readonly Fields[]): readonly LabelledCell[] {
  const workloads = cells.map((cell) => recordAt(cell, 'workload'));
  const varying = tellingSettings(workloads);
  const stores = varying.includes('store');
  const severalSystems = new Set(cells.map((cell) => textAt(cell, 'system'))).size > 1;
  const told = varying.filter((name) => name !== 'store' && name !== 'system');
  return cells.map((cell, n): LabelledCell => {
    const workload = workloads[n] ?? {};
    const system = textAt(cell, 'system') ?? '';
    const labelOf = (names: readonly string[]): string => {
      const parts = names.filter((name) => name in workload).map((name) => settingText(name, workload[name]));
      const all = severalSystems ? [systemLabel(system), ...parts] : parts;
      return all.length > 0 ? all.join(', ') : systemLabel(system);
    };
    return {
      cell,
      workload,
      system,
      group: stores ? (STORES[String(workload['store'])] ?? String(workload['store'] ?? '')) : '',
      label: labelOf(told),
      whose: isOwn(system) ? 'own' : /\b(loop|ceiling)\b/.test(system) ? 'ceiling' : 'other',
      without: (setting) => labelOf(told.filter((name) => name !== setting)),
    };
  });
}

export function varyingSettings(workloads: readonly Fields[]): string[] {
  const names = [...new Set(workloads.flatMap((workload) => Object.keys(workload)))];
  return names.filter((name) => new Set(workloads.map((workload) => workload[name])).size > 1);
}

/** Those that it takes to tell the cells apart: not a number that always comes with a name, such as the jobs of a slow handler. */
export function tellingSettings(workloads: readonly Fields[]): string[] {
  const different = (names: readonly string[]): number =>
    new Set(workloads.map((workload) => JSON.stringify(names.map((name) => workload[name])))).size;
  const all = varyingSettings(workloads);
  const isNumber = (name: string): boolean => workloads.some((one) => typeof one[name] === 'number');
  return all.filter(isNumber).reduce((names, name) => {
    const rest = names.filter((one) => one !== name);
    return different(rest) === different(all) ? rest : names;
  }, all);
}

/** Names speak for themselves, numbers do not. */
function settingText(name: string, value: unknown): string {
  return typeof value === 'string' ? value : `${wordsOf(name)} ${String(value)}`;
}

/** `handlerMs` is "handler ms". */
export function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
