import type { Point } from './chart.ts';
import type { Result } from './result.ts';

/** Points of a distribution out of encoded histograms (shares from 0 to 1, ms); null where they cannot be decoded. */
export type Curves = (histograms: readonly string[]) => readonly Point[] | null;

export const STORES: Readonly<Record<string, string>> = {
  sqlite: 'SQLite',
  postgres: 'PostgreSQL',
  redis: 'Redis',
  memory: 'memory',
};

/** `PostgreSQL`; where several results have that store, also the setting in which each differs, or its time. */
export function labelsOf(results: readonly Result[]): readonly string[] {
  const stores = results.map(storeName);
  return results.map((result, n) => {
    const store = stores[n] ?? '';
    const alike = results.filter((_, other) => stores[other] === store);
    if (alike.length === 1) return store || result.name;
    const setting = tellingSetting(alike);
    if (setting === null) return `${store}, ${result.startedAt.slice(0, 16).replace('T', ' ')}`;
    const value = result.settings[setting] ?? null;
    return value === null ? store : `${store}, ${wordsOf(setting)} ${textOf(value)}`;
  });
}

export function storeName({ settings }: Result): string {
  const store = settings['store'];
  return STORES[String(store)] ?? (typeof store === 'string' ? store : '');
}

/** A setting by which each of them can be told, names before numbers; null where none does that alone. */
function tellingSetting(results: readonly Result[]): string | null {
  const names = [...new Set(results.flatMap(({ settings }) => Object.keys(settings)))].filter(
    (name) =>
      name !== 'url' &&
      new Set(results.map(({ settings }) => JSON.stringify(settings[name]))).size === results.length,
  );
  const isNamed = (name: string): boolean =>
    results.some(({ settings }) => typeof settings[name] === 'string');
  return (
    names.find(isNamed) ??
    names.find((name) => typeof results[0]?.settings[name] === 'number') ??
    names[0] ??
    null
  );
}

function textOf(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}

/** `noopJobs` is "noop jobs". */
function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export const OWN = 'Longshore';

/** `longshore, deleting` is Longshore's, too. */
export function isOwn(system: string): boolean {
  return /^longshore\b/i.test(system);
}

export function systemLabel(system: string): string {
  return system.replace(/^longshore\b/, OWN);
}
