import { CheckFailed, type Sabotage } from '../ledger.ts';
import { requireSameClock, together } from '../open-loop.ts';
import { type Program, start } from '../runner.ts';
import type { Place } from '../site.ts';
import { check } from './check.ts';
import type { Graph } from './graph.ts';
import type { Played, PlayReport, PlaySettings } from './play.ts';

/** Plays runs in one process or in two, checks that each came to its right result, and gives the reports of both sides. */
export interface Play {
  /** What is measured, for messages. */
  readonly name: string;
  readonly place: Place;
  readonly part: PlaySettings['part'];
  readonly shape: string;
  readonly graph: Graph;
  readonly rate: number;
  readonly warmup: number;
  readonly runs: number;
  readonly items: readonly number[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly sabotage: Sabotage | null;
  /** 1: whoever starts runs also carries them. */
  readonly processes: 1 | 2;
  /** Of another system: the file of its program. */
  readonly file?: string;
  readonly signal: AbortSignal;
}

export async function measurePlay(play: Play): Promise<Played> {
  const { name, graph } = play;
  const reports = await (play.processes === 1 ? oneProcess(play) : twoProcesses(play));
  const [{ started }, { carried }] = reports;
  if (started === null || carried === null)
    throw new CheckFailed(`${name}: a process said nothing. No figures are given.`);
  check(name, graph, { started, carried });
  return { started, carried };
}

function program(play: Play, role: PlaySettings['role'], signal: AbortSignal): Program<PlayReport> {
  const { place, part, shape, graph, rate, warmup, runs, items, concurrency, timeoutMs, sabotage, file } =
    play;
  const settings: PlaySettings = {
    ...{ part, role, shape, graph, url: place.url, server: place.server, rate, warmup, runs, items },
    ...{ concurrency, timeoutMs, sabotage },
  };
  const options = { timeoutMs: timeoutMs + 90_000, signal };
  return start<PlayReport>('flows', settings, file === undefined ? options : { ...options, file });
}

async function oneProcess(play: Play): Promise<readonly [PlayReport, PlayReport]> {
  const both = program(play, 'both', play.signal);
  await both.heard('ready');
  both.tell('go');
  const report = await both.result;
  return [report, report];
}

function twoProcesses(play: Play): Promise<readonly [PlayReport, PlayReport]> {
  return together(play.signal, async (signal) => {
    const worker = program(play, 'worker', signal);
    const starter = program(play, 'starter', signal);
    await Promise.all([worker.heard('ready'), starter.heard('ready')]);
    await requireSameClock([worker, starter]);
    worker.heard('ran').then(
      () => starter.tell('ran'),
      () => undefined,
    );
    starter.tell('go');
    // A worker that fails ends the starter, which would wait for its runs.
    const started = await Promise.race([starter.result, worker.result]);
    worker.tell('stop');
    return [started, await worker.result];
  });
}
