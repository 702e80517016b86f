import { numberAt, recordAt, textAt } from './fields.ts';
import type { Fields, Result } from './result.ts';

/** The results are of unlike machines, settings or commands; the message names what differs and how to go on. */
export class NotComparable extends Error {
  override readonly name = 'NotComparable';
}

export interface CompareOptions {
  /** Percent by which a figure may be worse, where it is so for certain; default: any loss passes. */
  readonly maxLoss?: number;
  /** Only figures whose name contains this. */
  readonly figures?: string;
  readonly anyMachine?: boolean;
  readonly anySettings?: boolean;
}

/** Of the machine, what figures depend on. Node and the sources may be what is compared, so they are only told. */
const MACHINE = ['cpu', 'cores', 'platform', 'filesystem'];
const TOLD = ['node', 'longshore', 'commit'];

/** In words. Throws NotComparable for those that are not allowed. */
export function differencesOf(
  before: Result,
  after: Result,
  { anyMachine = false, anySettings = false }: CompareOptions,
): string[] {
  if (before.command !== after.command)
    throw new NotComparable(
      `${before.name} is of the command ${before.command}, ${after.name} of ${after.command}; compare two results of one command`,
    );
  const machines = [
    ...unlike(MACHINE, before.machine, after.machine),
    ...unlikeMemory(before.machine, after.machine),
    ...unlikeServers(before, after),
  ];
  if (machines.length > 0 && !anyMachine)
    throw new NotComparable(
      `the machines differ: ${machines.join('; ')}. Measure both on one machine, or compare nevertheless with --any-machine`,
    );
  const names = [...new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])];
  const wanted = names.filter((name) => !FREE_SETTINGS.has(name));
  const settings = [...unlike(wanted, before.settings, after.settings), ...unlikeCells(before, after)];
  if (settings.length > 0 && !anySettings)
    throw new NotComparable(
      `the settings differ: ${settings.join('; ')}. Measure both with the same, or compare nevertheless with --any-settings`,
    );
  return [...machines, ...settings, ...unlike(TOLD, before.machine, after.machine)];
}

/** More repeats make the interval narrower, not the figure another one. */
const FREE_SETTINGS = new Set(['repeat', 'url', 'sabotage']);

function unlike(names: readonly string[], before: Fields, after: Fields): string[] {
  return names
    .filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null))
    .map((name) => `${name} ${shown(before[name])} and ${shown(after[name])}`);
}

/** Of results of cells, a server that only one has took part in other cells. */
function unlikeServers(before: Result, after: Result): string[] {
  const kindsOf = ({ servers }: Result): string =>
    servers.map((server) => textAt(server, 'kind')).join(', ') || 'none';
  if (before.cells.length === 0 && kindsOf(before) !== kindsOf(after))
    return [`server ${kindsOf(before)} and ${kindsOf(after)}`];
  return before.servers.flatMap((old) => {
    const fresh = after.servers.find((server) => server['kind'] === old['kind']);
    if (fresh === undefined) return [];
    return unlike(['version', 'durable', 'settings'], old, fresh).map(
      (text) => `${String(old['kind'])} ${text}`,
    );
  });
}

/** Cells of one name that were given other work. */
function unlikeCells(before: Result, after: Result): string[] {
  const found = before.cells.flatMap((old) => {
    const fresh = after.cells.find((cell) => cell['id'] === old['id']);
    if (fresh === undefined) return [];
    const [one, other] = [recordAt(old, 'workload'), recordAt(fresh, 'workload')];
    return unlike([...new Set([...Object.keys(one), ...Object.keys(other)])], one, other);
  });
  return [...new Set(found)];
}

/** Machines of one kind differ by what their kernel keeps for itself. */
function unlikeMemory(before: Fields, after: Fields): string[] {
  const [old, fresh] = [numberAt(before, 'memoryMb'), numberAt(after, 'memoryMb')];
  if (old === null || fresh === null || Math.abs(old - fresh) <= 0.05 * Math.max(old, fresh)) return [];
  return [`memory ${old} and ${fresh} MB`];
}

function shown(value: unknown): string {
  return value === undefined || value === null
    ? 'none'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
