import { counted } from '../../core/counted.ts';
import type { Finding } from '../store.ts';
import { readId } from './record.ts';
import type { Look, Scripts } from './scripts.ts';
import { stateOf } from './states.ts';

/**
 * Whether the store on a server is whole: records can be read, and what is kept of all jobs together (counts, lines, leases,
 * names) says what the records say. Reads in steps that hold nobody up. Repairing makes all the rest anew from the records,
 * in one step (lua/rebuild.lua), and sets aside what cannot be read (lua/aside.lua). Plans have no part in that step: they are mended
 * one by one (lua/_planlook.lua).
 */
export async function examineWholeness(
  scripts: Scripts,
  { repair }: { readonly repair: boolean },
): Promise<Finding[]> {
  const found = await examine(scripts);
  if (!repair || isWhole(found)) {
    // Where a key has another type, the rest cannot be said.
    const checks = found.keys.size > 0 ? CHECKS.slice(0, 1) : CHECKS;
    return checks.map((check) => check(found));
  }
  await setAside(scripts, found);
  let after = await examine(scripts);
  if (!isWhole(after)) {
    await rebuild(scripts);
    await mendPlans(scripts, after);
    after = await examine(scripts);
  }
  return CHECKS.map((check) => {
    const [before, now] = [check(found), check(after)];
    return before.level === 'fault' && now.level !== 'fault' ? { ...before, repaired: true } : now;
  });
}

interface Wholeness {
  readonly looked: number;
  readonly plans: number;
  /** Ids of jobs whose records cannot be read. */
  readonly unreadable: readonly Buffer[];
  /** What lua/_begin.lua says of keys that have another type than they should. */
  readonly keys: ReadonlySet<string>;
  /** By kind, as lua/doctor.lua and doctor-chunk.lua have them. */
  readonly faults: ReadonlyMap<string, ReadonlySet<string>>;
  readonly aside: readonly string[];
  readonly asideCount: number;
}

/** Chunks of 1,024 jobs that one script looks at. */
const CHUNKS_A_STEP = 4;

async function examine(scripts: Scripts): Promise<Wholeness> {
  const keys = new Set<string>();
  const faults = new Map<string, Set<string>>();
  const unreadable: Buffer[] = [];
  let looked = 0;
  const take = ({ values, damaged }: Look): readonly unknown[] => {
    for (const item of damaged) if (item.toString('latin1', 0, 1) === 'k') keys.add(item.toString());
    return values;
  };
  const note = (list: readonly (readonly [Buffer, Buffer | number])[]): void => {
    for (const [kind, what] of list) {
      const name = kind.toString();
      faults.set(name, (faults.get(name) ?? new Set()).add(String(what)));
    }
  };
  const [general = [], chunks = [], aside = [], asideCount = 0] = take(await scripts.look('doctor')) as [
    [Buffer, Buffer][]?,
    number[]?,
    Buffer[]?,
    number?,
  ];
  note(general);
  for (let from = 0; from < chunks.length; from += CHUNKS_A_STEP) {
    const step = chunks.slice(from, from + CHUNKS_A_STEP).map(String);
    const [jobs = 0, broken = [], list = []] = take(await scripts.look('doctor-chunk', step)) as [
      number?,
      Buffer[]?,
      [Buffer, Buffer][]?,
    ];
    looked += jobs;
    unreadable.push(...broken);
    note(list);
  }
  let plans = 0;
  for (const index of ['plans', 'planWakes', 'planExpires', 'planReports']) {
    for (let cursor = '0'; ; ) {
      const step = take(await scripts.look('doctor-plans', [index, cursor]));
      const [next = '0', seen = 0, list = []] = step as [Buffer?, number?, [Buffer, Buffer][]?];
      if (index === 'plans') plans += seen;
      note(list);
      cursor = String(next);
      if (cursor === '0') break;
    }
  }
  return { looked, plans, unreadable, keys, faults, aside: aside.map(String), asideCount };
}

function isWhole({ unreadable, keys, faults }: Wholeness): boolean {
  return (
    unreadable.length === 0 && keys.size === 0 && [...faults.keys()].every((kind) => kind === 'settings')
  );
}

async function setAside(scripts: Scripts, { unreadable, keys }: Wholeness): Promise<void> {
  const records = unreadable.map((id) => Buffer.concat([UNKNOWN, id]));
  await scripts.setAside([...[...keys].map((key) => Buffer.from(key)), ...records], undefined);
}

/** So often is what a rebuild meets set aside, and the rebuild begun again. */
const ROUNDS_MAX = 5;

async function rebuild(scripts: Scripts): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { values } = await scripts.run('rebuild', undefined);
    if (values[0] === 1) return;
  }
}

/** Plans that one script mends. */
const PLANS_A_STEP = 100;

async function mendPlans(scripts: Scripts, { faults }: Wholeness): Promise<void> {
  const keys = list(faults, 'plans');
  for (let from = 0; from < keys.length; from += PLANS_A_STEP)
    await scripts.run('mend-plans', undefined, keys.slice(from, from + PLANS_A_STEP));
}

/** Of a job nothing is known: letter, state and queue, as in lua/_begin.lua. */
const UNKNOWN = Buffer.from([0x6a, 255, 0, 0, 0, 0]);

const REPAIR = 'Run longshore doctor --repair.';

const CHECKS: readonly ((found: Wholeness) => Finding)[] = [
  ({ keys }) =>
    judge(
      'keys',
      [...keys].map((key) => key.replace(/^k(\w+) /, '$1 ')),
      {
        ok: 'Every key has the type it should have.',
        fault: (some) => `Another program overwrote keys of the store, which should be: ${some}.`,
      },
    ),
  ({ looked, unreadable }) =>
    judge(
      'records',
      unreadable.map((id) => readId(id)),
      {
        ok: `${counted(looked, 'record of a job', 'records of jobs')} can be read.`,
        fault: (some) =>
          `${counted(unreadable.length, 'record of a job', 'records of jobs')} cannot be read: ${some}.`,
        remedy: `${REPAIR} It makes them dead letters that keep the bytes.`,
      },
    ),
  ({ faults }) =>
    judge('counts', list(faults, 'counts').map(withStates), {
      ok: 'Jobs are counted as they are.',
      fault: (some) => `Jobs are not counted as they are: ${some}.`,
    }),
  ({ faults }) =>
    judge('lines', list(faults, 'lines'), {
      ok: 'Every job is in the line it should be in.',
      fault: (some) => `Jobs are missing in the lines of queues number ${some}.`,
    }),
  ({ faults }) =>
    judge(
      'lease records',
      list(faults, 'leases').filter((name) => name !== ''),
      {
        ok: 'Every running job has a lease.',
        fault: (some) => `Leases are damaged or gone${some === '' ? '' : `: ${some}`}.`,
        remedy: `A worker mends most of them; otherwise: ${REPAIR}`,
        isFault: faults.has('leases'),
      },
    ),
  ({ faults }) =>
    judge('names', list(faults, 'names'), {
      ok: 'Every queue and task has its name.',
      fault: (some) => `Names are lost or do not agree, of each: ${some}.`,
    }),
  ({ faults }) =>
    judge('settings', list(faults, 'settings'), {
      ok: 'The settings of all queues can be read.',
      fault: (some) => `The settings of these queues cannot be read, so their jobs wait: ${some}.`,
      remedy: 'Set their limits and retention again, then resume them (longshore limit, longshore resume).',
    }),
  ({ faults }) =>
    judge('registry', list(faults, 'registry'), {
      ok: 'The registry of workers can be read.',
      fault: (some) => `The entries of these workers cannot be read: ${some}.`,
      remedy: `A worker that lives writes its own anew; otherwise: ${REPAIR}`,
    }),
  ({ plans, faults }) =>
    judge('plans', list(faults, 'plans'), {
      ok: counted(
        plans,
        'plan (run or schedule) can be read, and is listed where it should be.',
        'plans (runs, schedules) can be read, and are listed where they should be.',
      ),
      fault: (some) => `These plans cannot be read, or are not listed where they should be: ${some}.`,
      remedy: `${REPAIR} It keeps the bytes of what cannot be read.`,
    }),
  ({ aside, asideCount }) =>
    asideCount === 0
      ? { check: 'set aside', level: 'ok', detail: 'Nothing was set aside.', remedy: null }
      : {
          check: 'set aside',
          level: 'note',
          detail: `${asideCount} things that could not be read were set aside: ${some(aside)}.`,
          remedy:
            'Look for what wrote there. They are in the hash aside and in keys aside:… of the store; delete them when nobody needs them.',
        },
];

interface Words {
  readonly ok: string;
  readonly fault: (some: string) => string;
  readonly remedy?: string;
  readonly isFault?: boolean;
}

function judge(check: string, found: readonly string[], words: Words): Finding {
  if (!(words.isFault ?? found.length > 0)) return { check, level: 'ok', detail: words.ok, remedy: null };
  return { check, level: 'fault', detail: words.fault(some(found)), remedy: words.remedy ?? REPAIR };
}

const SHOWN_MAX = 5;

function some(found: readonly string[]): string {
  const more = found.length > SHOWN_MAX ? `, and ${found.length - SHOWN_MAX} more` : '';
  return found.slice(0, SHOWN_MAX).join(', ') + more;
}

function list(faults: Wholeness['faults'], kind: string): string[] {
  return [...(faults.get(kind) ?? [])];
}

/** States by their names. */
function withStates(fault: string): string {
  return fault.replace(/in state (\d)/, (_, state: string) => `in state ${stateOf(Number(state))}`);
}
