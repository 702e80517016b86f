import { isRecord, numberAt, recordAt, textAt } from './fields.ts';
import type { Fields, Result } from './result.ts';

/** Where a result comes from: the machine, the settings, and the command that measures it again. */

/** The command line that gives a result of the same kind: the settings as options. */
export function commandLine({ command, settings, document }: Result): string {
  const given = document['arguments'];
  if (Array.isArray(given))
    return ['npm run -s bench --', ...given.map((one) => quoted(String(one)))].join(' ');
  const first = textAt(settings, 'mode') ?? textAt(document, 'suite');
  const options = Object.entries(settings)
    .filter(
      ([name, value]) => value !== null && value !== false && value !== '' && !NO_OPTIONS.includes(name),
    )
    .map(([name, value]) => optionOf(name, value))
    .filter((option) => option !== '');
  return ['npm run -s bench --', command, ...(first === null ? [] : [first]), ...options].join(' ');
}

/** Settings that commands make of others. */
const NO_OPTIONS = ['mode', 'sabotage', 'strategies', 'workloads', 'profiled', 'url', 'scenarios'];

function optionOf(name: string, value: unknown): string {
  const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === true) return option;
  if (Array.isArray(value)) return value.length === 0 ? '' : `${option} ${quoted(value.join(','))}`;
  return isRecord(value) ? '' : `${option} ${quoted(String(value))}`;
}

function quoted(text: string): string {
  return /^[\w.,/:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Name and value, in words. */
export function machineRows({
  machine,
  servers,
  document,
  tookMs,
  startedAt,
}: Result): readonly (readonly [string, string])[] {
  const rows: (readonly [string, string | null])[] = [
    [
      'measured',
      `${startedAt.slice(0, 16).replace('T', ' ')} UTC${tookMs === null ? '' : `, in ${durationOf(tookMs)}`}`,
    ],
    ['processor', `${textAt(machine, 'cpu') ?? 'unknown'}, ${numberAt(machine, 'cores') ?? '?'} cores`],
    ['memory', megabytes(numberAt(machine, 'memoryMb'))],
    ['Node.js', textAt(machine, 'node')],
    ['platform', textAt(machine, 'platform')],
    ['file system', textAt(machine, 'filesystem')],
    ['load before', numberAt(machine, 'loadBefore')?.toString() ?? null],
    ...servers.map((server) => ['server', serverText(server)] as const),
    ['disk and steal', probeText(recordAt(document, 'before'), recordAt(document, 'after'))],
    ['sources', sourcesText(machine)],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

function serverText(server: Fields): string {
  const settings = Object.entries(recordAt(server, 'settings')).map(
    ([name, value]) => `${name} ${String(value) || 'none'}`,
  );
  const named = `${textAt(server, 'kind') ?? 'server'} ${textAt(server, 'version') ?? ''}`.trim();
  return [named, ...(server['own'] === true ? ['started for this'] : []), ...settings].join(', ');
}

/** What the kit looked at before and after. */
function probeText(before: Fields, after: Fields): string | null {
  const fsync = [before, after].flatMap((probe) => numberAt(probe, 'fsyncMs') ?? []);
  const steal = numberAt(after, 'stealPercent');
  if (fsync.length === 0) return null;
  return [
    `an fsync took ${fsync.join(' ms before and ')} ms${fsync.length > 1 ? ' after' : ''}`,
    ...(steal === null ? [] : [`${steal} % of the time was stolen`]),
  ].join(', ');
}

function sourcesText(machine: Fields): string | null {
  const commit = textAt(machine, 'commit');
  const version = textAt(machine, 'longshore');
  if (commit === null && version === null) return null;
  return [
    ...(version === null ? [] : [`Longshore ${version}`]),
    ...(commit === null ? [] : [`commit ${commit.slice(0, 12)}`]),
    ...(machine['dirty'] === true ? ['changed since'] : []),
  ].join(', ');
}

function megabytes(memoryMb: number | null): string | null {
  return memoryMb === null ? null : `${(memoryMb / 1_024).toFixed(1)} GB`;
}

function durationOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Settings as they were recorded, in words. */
export function settingRows({ settings }: Result): readonly (readonly [string, string])[] {
  return Object.entries(settings)
    .filter(([, value]) => value !== null)
    .map(
      ([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const,
    );
}

/** What every result of a report shares of its machine; null where they differ or nothing is known. */
export function sharedMachine(results: readonly Result[]): string | null {
  const texts = results.map(({ machine }) =>
    [
      textAt(machine, 'cpu'),
      `${numberAt(machine, 'cores') ?? '?'} cores`,
      megabytes(numberAt(machine, 'memoryMb')),
      textAt(machine, 'platform'),
      `Node ${textAt(machine, 'node') ?? '?'}`,
    ]
      .filter((part) => part !== null)
      .join(', '),
  );
  return new Set(texts).size === 1 ? (texts[0] ?? null) : null;
}
