import type { AnyTask } from '../core/task.ts';
import { Lanes } from '../execution/lanes.ts';
import type { Choice } from '../execution/routes.ts';
import { PROFILES_MAX, type TaskProfile } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { WorkerSettings } from './settings.ts';

/** For the registry, where they may not take much room. */
export function profilesOf(choices: readonly Choice[]): TaskProfile[] {
  return choices.slice(0, PROFILES_MAX).map(({ task, lane, reason, profile }) => ({
    task,
    lane,
    reason: reason.slice(0, REASON_CHARS_MAX),
    samples: profile?.samples ?? 0,
    busyMs: Math.round((profile?.busyMs ?? 0) * 100) / 100,
    wallMs: Math.round((profile?.wallMs ?? 0) * 100) / 100,
  }));
}

const REASON_CHARS_MAX = 200;

/** The lanes of a worker, which tell its events what they do. */
export function lanesOf(
  tasks: ReadonlyMap<string, AnyTask>,
  {
    events,
    workerId,
    ...settings
  }: WorkerSettings & {
    readonly events: EventBus;
    readonly workerId: string;
    readonly onRoom: () => void;
  },
): Lanes {
  return new Lanes(tasks.values(), {
    ...settings,
    onChoice: ({ task, lane, reason, profile }) => {
      const { samples = 0, busyMs = 0, wallMs = 0 } = profile ?? {};
      events.emit('task.strategyChosen', { workerId, task, lane, reason, samples, busyMs, wallMs });
    },
    onBlocked: (blocked) => events.emit('task.blocked', { workerId, ...blocked }),
    onHost: ({ type, ...event }) => events.emit(`host.${type}`, event as never),
  });
}
