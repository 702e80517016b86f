import { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { importFault } from './importable.ts';
import type { Lane, LaneJob, PoolKind } from './lane.ts';
import type { Usage } from './protocol.ts';
import type { SharedPool, SharedPools } from './shared-pools.ts';

/** Runs handlers in a pool's threads or processes. Takes its share of the pool when there is a first job for it. */
export class PoolLane implements Lane {
  readonly name: PoolKind;
  readonly #pools: () => SharedPools;
  #shared: SharedPool | null = null;

  /** `pools` is asked from the first job on. */
  constructor(name: PoolKind, pools: () => SharedPools) {
    this.name = name;
    this.#pools = pools;
  }

  /** Jobs that would find a host with room now. */
  get room(): number {
    return this.#share().pool.room;
  }

  /** Jobs that can run in it at a time. */
  get capacity(): number {
    return this.#pools().capacity(this.name);
  }

  run(task: AnyTask, job: LaneJob, onUsage?: (usage: Usage) => void): Promise<string | null> {
    const fault = importFault(task);
    if (fault !== null) {
      const details = { task: task.name, module: task.module };
      return Promise.reject(
        new LongshoreError('TASK_MODULE_UNLOADABLE', `Not in a ${this.name}: ${fault}.`, { details }),
      );
    }
    const shared = this.#share();
    shared.starts();
    return shared.pool.run(task, job, { owner: this, onUsage });
  }

  /** A job could be handed to a host right behind one that started in this turn. */
  roomBehind(task: AnyTask): boolean {
    return this.#shared?.pool.roomBehind(task, this) ?? false;
  }

  /** Puts back what was handed to hosts early and has not begun. */
  takeBack(): void {
    this.#shared?.pool.takeBack();
  }

  async close(): Promise<void> {
    const shared = this.#shared;
    this.#shared = null;
    await shared?.release();
  }

  #share(): SharedPool {
    this.#shared ??= this.#pools().share(this.name);
    return this.#shared;
  }
}
