import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConnectOptions } from '../connect.ts';
import { LongshoreError, optionInvalid } from '../core/errors.ts';
import { unknownName } from '../core/options.ts';
import type { WorkerOptions } from '../worker/options.ts';
import { WORKER_SETTINGS_DEFAULT, type WorkerSettings } from '../worker/settings.ts';
import { parseJson } from './json-text.ts';
import { loadFault } from './load-fault.ts';
import { time } from './values.ts';

/** `longshore.config.*`: weaker than flags, stronger than LONGSHORE_* variables. Paths in it start at its folder. */
export interface Config {
  /** Null when there is none. */
  readonly file: string | null;
  readonly store?: string;
  readonly tasks?: readonly string[];
  readonly worker: Partial<WorkerSettings>;
  readonly schedules: Pick<WorkerOptions, 'schedules' | 'schedulesOwner'>;
  readonly connect: Pick<ConnectOptions, 'payloadBytesMax' | 'encryption' | 'tracing'>;
}

const NAMES = ['ts', 'js', 'mjs', 'json'].map((extension) => `longshore.config.${extension}`);
const CONNECT_KEYS = ['payloadBytesMax', 'encryption', 'tracing'] as const;
const SCHEDULE_KEYS = ['schedules', 'schedulesOwner'] as const;
const KEYS: readonly string[] = [
  'store',
  'tasks',
  ...SCHEDULE_KEYS,
  ...CONNECT_KEYS,
  ...Object.keys(WORKER_SETTINGS_DEFAULT),
];

/** Loads the file given, or the one in the current folder. Throws OPTION_INVALID, PAYLOAD_NOT_JSON, TASKS_UNLOADABLE. */
export async function loadConfig(given: string | undefined): Promise<Config> {
  const file = given === undefined ? NAMES.find((name) => existsSync(name)) : given;
  if (file === undefined) return { file: null, worker: {}, schedules: {}, connect: {} };
  if (!existsSync(file)) throw optionInvalid('--config', file, 'the path of a file that exists');
  return checked(
    file,
    file.endsWith('.json') ? parseJson(readFileSync(file, 'utf8'), file) : await imported(file),
  );
}

async function imported(file: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
    return module.default;
  } catch (error) {
    throw new LongshoreError('TASKS_UNLOADABLE', `The config file ${await loadFault(file, error)}.`, {
      cause: error,
    });
  }
}

function checked(file: string, value: unknown): Config {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw optionInvalid(
      `the default export of ${file}`,
      value,
      'an object, e.g. { store: "sqlite:jobs.db", tasks: "tasks" }',
    );
  }
  const unknown = Object.entries(value).find(([key, set]) => set !== undefined && !KEYS.includes(key));
  if (unknown !== undefined) throw unknownName(`${file}: there is no setting`, unknown[0], KEYS);
  const { store, tasks, ...rest } = value as Record<string, unknown>;
  const folder = dirname(resolve(file));
  return {
    file,
    ...(store === undefined ? {} : { store: storeIn(folder, requireText(`${file}: store`, store)) }),
    ...(tasks === undefined ? {} : { tasks: tasksIn(folder, file, tasks) }),
    schedules: schedulesIn(file, rest),
    connect: pick(rest, (key) => (CONNECT_KEYS as readonly string[]).includes(key)),
    worker: pick(rest, (key) => key in WORKER_SETTINGS_DEFAULT),
  };
}

/** JSON has no dates: times in it are texts. */
function schedulesIn(
  file: string,
  { schedules, schedulesOwner }: { schedules?: unknown; schedulesOwner?: unknown },
): Config['schedules'] {
  const owner =
    schedulesOwner === undefined
      ? {}
      : { schedulesOwner: requireText(`${file}: schedulesOwner`, schedulesOwner) };
  if (schedules === undefined) return owner;
  if (typeof schedules !== 'object' || schedules === null || Array.isArray(schedules))
    throw optionInvalid(`${file}: schedules`, schedules, 'an object of schedules by their names');
  const read = Object.entries(schedules).map(([name, spec]) => [
    name,
    withTimes(`${file}: schedules.${name}`, spec),
  ]);
  return { schedules: Object.fromEntries(read), ...owner };
}

function withTimes(where: string, spec: unknown): unknown {
  if (typeof spec !== 'object' || spec === null) return spec;
  const fields = Object.entries(spec).map(([field, value]) => {
    const isText = ['at', 'start', 'end'].includes(field) && typeof value === 'string';
    return [field, isText ? time(`${where}.${field}`)(value) : value];
  });
  return Object.fromEntries(fields);
}

function tasksIn(folder: string, file: string, tasks: unknown): string[] {
  const paths = Array.isArray(tasks) ? tasks : [tasks];
  return paths.map((path) => resolve(folder, requireText(`${file}: tasks`, path)));
}

/** A relative path in the URL of a file starts at the config file, like all paths in it. */
function storeIn(folder: string, url: string): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  if (path === '' || path.startsWith('/') || path.startsWith(':') || isAbsolute(path)) return url;
  return `sqlite:${resolve(folder, path)}`;
}

function requireText(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw optionInvalid(field, value, 'a text');
}

function pick(
  from: Readonly<Record<string, unknown>>,
  wanted: (key: string) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => wanted(key)));
}
