import { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { type Observation, observe, PROFILE_NEW, type Profile } from './auto.ts';
import type { BlockWatch, Suspect } from './block-watch.ts';
import { importFault } from './importable.ts';
import type { Lane, LaneJob, LaneName } from './lane.ts';
import type { PoolLane } from './pool-lane.ts';

/** The way of one task's jobs to a lane. */
export interface Route {
  readonly choice: Choice;
  /** As the choice says, at once: asked before every start. */
  readonly lane: LaneName;
  /** It never changes. */
  readonly fixed: boolean;
  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null>;
}

/** Where a task's jobs run now, and why. */
export interface Choice {
  readonly task: string;
  readonly lane: LaneName;
  readonly reason: string;
  /** What was measured; null where nothing has to be. */
  readonly profile: Profile | null;
}

export interface RouteMeans {
  readonly inline: Lane;
  readonly thread: PoolLane;
  readonly process: PoolLane;
  readonly watch: BlockWatch;
  /** Most threads at a time. */
  readonly threads: number;
  readonly onChoice: (choice: Choice) => void;
  readonly onBlocked: (blocked: Blocked) => void;
}

/** A handler held the event loop for longer than it may, or was one of those that may have. */
export interface Blocked {
  readonly task: string;
  readonly blockedMs: number;
  readonly limitMs: number;
  readonly certain: boolean;
}

/** Always the same lane. */
export class FixedRoute implements Route {
  readonly choice: Choice;
  readonly lane: LaneName;
  readonly fixed = true;
  readonly #lane: Lane;

  constructor(lane: Lane, task: AnyTask, reason: string) {
    this.#lane = lane;
    this.lane = lane.name;
    this.choice = { task: task.name, lane: lane.name, reason, profile: null };
  }

  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null> {
    return this.#lane.run(task, job);
  }
}

/** On the event loop, watched: it tells when the loop is held. */
export class InlineRoute implements Route, Suspect {
  readonly choice: Choice;
  readonly lane = 'inline';
  readonly fixed = true;
  readonly #means: RouteMeans;

  constructor(means: RouteMeans, task: AnyTask, reason: string) {
    this.#means = means;
    this.choice = { task: task.name, lane: 'inline', reason, profile: null };
  }

  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null> {
    return runWatched(this, this.#means, task, job);
  }

  onBlocked(blockedMs: number, certain: boolean): void {
    const { watch, onBlocked } = this.#means;
    onBlocked({ task: this.choice.task, blockedMs, limitMs: watch.limitMs, certain });
  }
}

/** By measurement (auto.ts): in a thread first, then where the task belongs. */
export class AutoRoute implements Route, Suspect {
  readonly fixed = false;
  readonly #means: RouteMeans;
  readonly #task: AnyTask;
  #profile: Profile = PROFILE_NEW;
  #reason = 'not measured yet';
  /** Threads cannot have it: it stays on the loop. */
  #pinned = false;

  constructor(means: RouteMeans, task: AnyTask) {
    this.#means = means;
    this.#task = task;
    const fault = importFault(task);
    if (fault !== null) this.#pin(fault);
  }

  get lane(): LaneName {
    return this.#profile.lane;
  }

  get choice(): Choice {
    const { lane } = this.#profile;
    return { task: this.#task.name, lane, reason: this.#reason, profile: this.#profile };
  }

  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null> {
    return this.#profile.lane === 'inline'
      ? runWatched(this, this.#means, task, job)
      : this.#runInThread(task, job);
  }

  onBlocked(blockedMs: number, certain: boolean): void {
    const { watch, onBlocked } = this.#means;
    onBlocked({ task: this.#task.name, blockedMs, limitMs: watch.limitMs, certain });
    if (!this.#pinned) this.#observe({ type: 'blocked', blockedMs, certain });
  }

  async #runInThread(task: AnyTask, job: LaneJob): Promise<string | null> {
    try {
      return await this.#means.thread.run(task, job, (usage) =>
        this.#observe({ type: 'measured', ...usage }),
      );
    } catch (error) {
      if (!(error instanceof LongshoreError) || error.code !== 'TASK_MODULE_UNLOADABLE') throw error;
      // Its handler did not start: the job loses nothing. This thread has loaded the task, so here it can run.
      job.stopper = null;
      if (job.abortReason !== null) throw job.abortReason;
      if (!this.#pinned) {
        this.#pin(error.message);
        this.#means.onChoice(this.choice);
      }
      return runWatched(this, this.#means, task, job);
    }
  }

  #pin(reason: string): void {
    this.#pinned = true;
    this.#reason = `not importable: ${reason}`;
    this.#profile = { ...this.#profile, lane: 'inline', decided: true };
  }

  #observe(seen: Observation): void {
    const { watch, threads } = this.#means;
    const { profile, reason } = observe(this.#profile, seen, { blockedMs: watch.limitMs, threads });
    this.#profile = profile;
    if (reason === null) return;
    this.#reason = reason;
    this.#means.onChoice(this.choice);
  }
}

function runWatched(
  suspect: Suspect,
  { inline, watch }: RouteMeans,
  task: AnyTask,
  job: LaneJob,
): string | null | Promise<string | null> {
  const began = performance.now();
  let returned: string | null | Promise<string | null>;
  try {
    returned = inline.run(task, job);
  } finally {
    watch.ran(suspect, began, performance.now());
  }
  if (!(returned instanceof Promise)) return returned;
  watch.enter(suspect);
  return returned.finally(() => watch.leave(suspect));
}
