import { unknownName } from '../core/options.ts';
import type { LoadSettings, LoadTarget } from '../load/generate.ts';
import type { GlobalOptions } from './command.ts';
import { loadConfig } from './config-file.ts';
import { storeUrl } from './session.ts';

/** What `longshore load` can put load on. A target's code, and with it its packages, is loaded when it is named. */
export interface TargetOptions extends GlobalOptions {
  readonly target?: string;
  readonly task?: string;
  readonly queue?: string;
  readonly url?: string;
  readonly process?: string;
}

/** What each unit is given, and how many there are to be. */
export type Load = Pick<LoadSettings, 'total'> & { readonly message: string };

/** Engines by their names; anything else is the URL of a store. */
const ENGINES: Readonly<Record<string, (options: TargetOptions, load: Load) => Promise<LoadTarget>>> = {
  operaton: async ({ url, process: key }, { message }) => {
    const { callsTo } = await import('../connectors/operaton/calls.ts');
    const { OperatonTarget } = await import('../load/operaton-target.ts');
    return OperatonTarget.open(callsTo(url === undefined ? {} : { url }), key, message);
  },
  // With more settings: `longshore temporal load`.
  temporal: async ({ url, queue = process.env.SCHEDULER_TASK_QUEUE || 'benchmark' }, { message, total }) => {
    const { connectionOf, withSdk } = await import('./temporal/settings.ts');
    const { temporalLoadTarget } = await withSdk(() => import('../connectors/temporal/load-target.ts'));
    return temporalLoadTarget({
      connection: connectionOf(url === undefined ? {} : { address: url }, process.env),
      namespace: process.env.SCHEDULER_NAMESPACE || process.env.DEFAULT_TEMPORAL_NAMESPACE || 'default',
      taskQueue: queue,
      message,
      count: total === null ? 3 : 1,
    });
  },
};

export const ENGINE_NAMES: readonly string[] = Object.keys(ENGINES);

/** Throws what opening the target throws, and USAGE where nothing says what it is. */
export async function openTarget(options: TargetOptions, load: Load): Promise<LoadTarget> {
  const { target } = options;
  const engine = target === undefined ? undefined : ENGINES[target];
  if (engine !== undefined) return engine(options, load);
  if (target !== undefined && /^\w+$/.test(target))
    throw unknownName('--target: there is no engine', target, [
      ...ENGINE_NAMES,
      'sqlite:jobs.db (any URL of a store)',
    ]);
  return openStore(options, load.message);
}

async function openStore(options: TargetOptions, message: string): Promise<LoadTarget> {
  const { connect } = await import('../connect.ts');
  const { queueTarget } = await import('../load/queue-target.ts');
  const config = await loadConfig(options.config);
  const url = options.target ?? storeUrl(options, config);
  const longshore = await connect(url, { ...config.connect, logger: false });
  const { task = 'echo', queue } = options;
  const target = queueTarget(longshore, { task, queue, input: { message } });
  return { ...target, close: () => longshore.close() };
}
