import { settle as rule } from '../../core/settle-rule.ts';
import type {
  BeatReceipt,
  DisownRequest,
  GivenBack,
  WorkerBeat,
  WorkerInfo,
  WorkerLoad,
  WorkerRecord,
} from '../store.ts';
import { giveBack, subjectsOf } from './give-back.ts';
import { idBytes, readId } from './record.ts';
import type { Argument } from './request.ts';
import type { Session } from './session.ts';

/** The worker registry, and the leases that live and end with a worker. */
export async function beat(
  { scripts }: Session,
  { worker, load, leaseMs }: WorkerBeat,
  at: number | undefined,
): Promise<BeatReceipt> {
  const { slots, slotsUsed, profiles } = load;
  const said = JSON.stringify({ ...worker, slots, slotsUsed, profiles });
  const { now, values } = await scripts.run('beat', at, [worker.id, said, String(leaseMs), ...worker.queues]);
  const [held, cancelled, paused] = values as [Buffer[], Buffer[], Buffer[]];
  return {
    now,
    held: held.map((id) => readId(id)),
    cancelled: cancelled.map((id) => readId(id)),
    paused: paused.map(String),
  };
}

/** A worker that leaves gives back what it holds, by the settle rule for `released`. */
export function retire(session: Session, workerId: string, at: number | undefined): Promise<GivenBack[]> {
  return release(session, { args: [workerId], forget: workerId }, at);
}

export function disown(
  session: Session,
  { workerId, jobs, before }: DisownRequest,
  at: number | undefined,
): Promise<GivenBack[]> {
  return release(session, { args: [workerId, String(before), ...jobs.map(idBytes)], forget: null }, at);
}

/** Gives back what lua/held.lua finds with these arguments. */
async function release(
  session: Session,
  { args, forget }: { readonly args: readonly Argument[]; readonly forget: string | null },
  at: number | undefined,
): Promise<GivenBack[]> {
  const given: GivenBack[] = [];
  for (;;) {
    const { now, values } = await session.scripts.run('held', at, args);
    const subjects = subjectsOf(values[0]);
    const changes = subjects.map((subject) => rule(subject, { type: 'released' }, now));
    const states = await giveBack(session, { move: 'release', forget, now: at ?? now }, subjects, changes);
    for (const [index, { id, queue, task }] of subjects.entries()) {
      const state = states[index] ?? null;
      if (state !== null) given.push({ id, queue, task, attempt: changes[index]?.attempt ?? 0, state });
    }
    // Somebody else wrote to one of them in between, an operator who cancels it: look again.
    if (!states.includes(null)) return given;
  }
}

/** What beat.lua was given, before the times it adds: seenAt and leaseMs, 7 bytes each. */
const SAID_AT = 14;

export async function workers({ scripts }: Session, at: number | undefined): Promise<WorkerRecord[]> {
  const { now, values } = await scripts.run('workers', at);
  const records = (values[0] as [Buffer, Buffer, number][]).flatMap(([, bytes, running]): WorkerRecord[] => {
    const said = readSaid(bytes);
    // Its next beat writes it anew; doctor names it.
    if (said === null) return [];
    const [seenAt, leaseMs] = [readTime(bytes, 0), readTime(bytes, 7)];
    const alive = seenAt + leaseMs > now;
    return [{ ...said, seenAt, running, alive }];
  });
  return records.sort(
    (one, other) => one.startedAt - other.startedAt || (one.id < other.id ? -1 : one.id === other.id ? 0 : 1),
  );
}

/** Null for a damaged record. */
export function readSaid(bytes: Buffer): (WorkerInfo & WorkerLoad) | null {
  if (bytes.length <= SAID_AT) return null;
  try {
    const said = JSON.parse(bytes.toString('utf8', SAID_AT)) as Partial<WorkerInfo & WorkerLoad> | null;
    const isWhole = typeof said?.id === 'string' && Array.isArray(said.tasks) && Array.isArray(said.queues);
    return isWhole ? (said as WorkerInfo & WorkerLoad) : null;
  } catch {
    return null;
  }
}

/** Seven bytes; the last is 0 until the year 10,889. */
function readTime(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at, 6) + (bytes[at + 6] as number) * 2 ** 48;
}
