import { availableParallelism } from 'node:os';
import { LongshoreError } from '../core/errors.ts';
import type { Strategy } from '../core/strategy.ts';
import type { AnyTask } from '../core/task.ts';
import { type Admission, admissionOf } from './admission.ts';
import { BlockWatch } from './block-watch.ts';
import { hostProgram } from './host-starter.ts';
import { importFault } from './importable.ts';
import { inlineLane } from './inline.ts';
import type { Lane, LaneJob } from './lane.ts';
import { PoolLane } from './pool-lane.ts';
import type { HostEvent } from './pool-options.ts';
import {
  AutoRoute,
  type Blocked,
  type Choice,
  FixedRoute,
  InlineRoute,
  type Route,
  type RouteMeans,
} from './routes.ts';
import type { PoolSettings, SharedPools } from './shared-pools.ts';
import './started-in.ts';

/** The lanes of one worker: each task's jobs go where its strategy says. */
export class Lanes implements Omit<Lane, 'name'> {
  /** Null: every job can start at once. */
  readonly admission: Admission | null;
  readonly #options: LanesOptions;
  readonly #means: RouteMeans;
  readonly #routes: ReadonlyMap<string, Route>;
  #pools: SharedPools | null = null;

  /** Throws TASK_INVALID for a task that is to run in a thread or process and cannot. */
  constructor(tasks: Iterable<AnyTask>, options: LanesOptions) {
    this.#options = options;
    const pools = (): SharedPools => this.#pools as SharedPools;
    this.#means = {
      ...options,
      inline: inlineLane(),
      thread: new PoolLane('thread', pools),
      process: new PoolLane('process', pools),
      watch: new BlockWatch(options.blockedMs),
      threads: options.threads ?? availableParallelism(),
    };
    const all = [...tasks];
    const strategies = new Map(all.map((task) => [task, task.strategy ?? options.strategy]));
    // Where no task is watched, nothing stands between the executor and the handler but a look into a map.
    const watched = [...strategies.values()].includes('auto');
    this.#routes = new Map(
      all.map((task) => [task.name, this.#route(task, strategies.get(task) as Strategy, watched)]),
    );
    this.admission = admissionOf({ tasks: all, routes: this.#routes, pools: this.#means });
  }

  /** Before the first job: loads what pools are made of, where a task can need one. Most workers run without. */
  async open(): Promise<void> {
    if (this.admission === null || this.#pools !== null) return;
    const { SharedPools } = await import('./shared-pools.ts');
    const { onHost, onRoom } = this.#options;
    this.#pools ??= new SharedPools(this.#options, onHost, onRoom);
  }

  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null> {
    return (this.#routes.get(task.name) as Route).run(task, job);
  }

  /** Where each task runs now, and why. */
  choices(): Choice[] {
    return [...this.#routes.values()].map(({ choice }) => choice);
  }

  async close(): Promise<void> {
    const { thread, process, watch } = this.#means;
    watch.close();
    await Promise.all([thread.close(), process.close()]);
  }

  #route(task: AnyTask, strategy: Strategy, watched: boolean): Route {
    const means = this.#means;
    if (strategy === 'async')
      return watched
        ? new InlineRoute(means, task, 'strategy async')
        : new FixedRoute(means.inline, task, 'strategy async');
    if (strategy !== 'auto') return fixed(means[strategy], task, `strategy ${strategy}`);
    if (task.hint === 'isolate') return fixed(means.process, task, 'hint isolate');
    if (task.hint === 'io') return new InlineRoute(means, task, 'hint io');
    const fault = task.hint === 'cpu' ? importFault(task) : null;
    if (fault !== null) return new InlineRoute(means, task, `hint cpu, but not importable: ${fault}`);
    return task.hint === 'cpu' ? fixed(means.thread, task, 'hint cpu') : new AutoRoute(means, task);
  }
}

export interface LanesOptions extends PoolSettings {
  /** Of tasks that say nothing. */
  readonly strategy: Strategy;
  readonly blockedMs: number;
  readonly onChoice: (choice: Choice) => void;
  readonly onBlocked: (blocked: Blocked) => void;
  readonly onHost: (event: HostEvent) => void;
  /** A pool may have room again. */
  readonly onRoom: () => void;
}

/** Throws TASK_INVALID, PACKAGE_INCOMPLETE. */
function fixed(lane: PoolLane, task: AnyTask, reason: string): Route {
  const fault = importFault(task);
  if (fault === null) {
    hostProgram(lane.name);
    return new FixedRoute(lane, task, reason);
  }
  throw new LongshoreError(
    'TASK_INVALID',
    `Task '${task.name}' is to run in a ${lane.name} (${reason}), which has to import it; but ${fault}.`,
    { details: { task: task.name, module: task.module, lane: lane.name } },
  );
}
