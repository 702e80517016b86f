import type { Profiler } from 'node:inspector';

/** The functions in which the time of CPU profiles went, their callees aside: a pure function. */
export interface HotFunction {
  readonly name: string;
  /** `path:line`, or `native`. */
  readonly place: string;
  /** The nearest caller in a file, of functions of Node and of native code: `name (path:line)`; null for others. */
  readonly calledFrom: string | null;
  /** Share of the time in which anything ran, 0 to 1. */
  readonly share: number;
  readonly ms: number;
}

/** `placeOf`: a URL and a line, from 1, as people read them. */
export function hotFunctions(
  profiles: readonly Profiler.Profile[],
  most: number,
  placeOf: (url: string, line: number) => string,
): HotFunction[] {
  const spent = new Map<string, Omit<HotFunction, 'share' | 'ms'> & { us: number }>();
  let total = 0;
  for (const profile of profiles)
    for (const { frame, caller, us } of timesOf(profile)) {
      if (NOT_RUNNING.has(frame.functionName)) continue;
      total += us;
      const calledFrom = caller === null ? null : `${nameOf(caller)} (${placeIn(caller, placeOf)})`;
      const [name, place] = [nameOf(frame), placeIn(frame, placeOf)];
      const key = [name, place, calledFrom].join('\n');
      const entry = spent.get(key) ?? { name, place, calledFrom, us: 0 };
      entry.us += us;
      spent.set(key, entry);
    }
  return [...spent.values()]
    .sort((one, other) => other.us - one.us)
    .slice(0, most)
    .map(({ us, ...entry }) => ({ ...entry, share: us / total, ms: us / 1_000 }));
}

const NOT_RUNNING: ReadonlySet<string> = new Set(['(idle)', '(root)']);
const NAMES: Readonly<Record<string, string>> = {
  '(program)': 'code outside of JavaScript',
  '(garbage collector)': 'garbage collection',
  '': '(anonymous)',
};

function nameOf({ functionName }: Frame): string {
  return NAMES[functionName] ?? functionName;
}

function placeIn({ url, lineNumber }: Frame, placeOf: (url: string, line: number) => string): string {
  return url === '' ? 'native' : placeOf(url, lineNumber + 1);
}

interface Spent {
  readonly frame: Frame;
  readonly caller: Frame | null;
  readonly us: number;
}

/** Each node of the tree of calls with the time that its own code took, µs. */
function* timesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Generator<Spent> {
  const times = new Map<number, number>();
  // A delta is the time since the sample before.
  for (const [at, id] of samples.entries()) {
    const us = Math.max(0, timeDeltas[at + 1] ?? 0);
    times.set(id, (times.get(id) ?? 0) + us);
  }
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  for (const node of nodes) {
    const us = times.get(node.id) ?? 0;
    if (us > 0) yield { frame: node.callFrame, caller: callerInFile(node, parents), us };
  }
}

/** Null where the function itself is in a file, or nothing in a file called it. */
function callerInFile(
  node: Profiler.ProfileNode,
  parents: ReadonlyMap<number, Profiler.ProfileNode>,
): Frame | null {
  for (let at: Profiler.ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id))
    if (at.callFrame.url.startsWith('file:')) return at === node ? null : at.callFrame;
  return null;
}

type Frame = Profiler.ProfileNode['callFrame'];
