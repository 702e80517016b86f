import { CheckFailed, type Evidence, Ledger, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { monotonicMs } from '../pacer.ts';
import { type Program, start } from '../runner.ts';
import type { AgentCalls, CallName, Worked } from './agent.ts';
import type { AgentSettings } from './system.ts';

/** The parent's side of agents: one that sends and counts, and some that work, each a process of its own. */
export class Team {
  readonly #programs: readonly Program<null>[];
  /** Each kills one of them. */
  readonly #killers: readonly AbortController[];
  readonly #killed = new Set<number>();

  constructor(programs: readonly Program<null>[], killers: readonly AbortController[]) {
    this.#programs = programs;
    this.#killers = killers;
  }

  /** Of 0 workers, the sender works itself. */
  static async start(options: TeamOptions): Promise<Team> {
    const { settings, workers, file, name, signal, timeoutMs } = options;
    const processes = 1 + workers;
    const killers = Array.from({ length: processes }, () => new AbortController());
    const programs = killers.map((killer) => {
      const either = AbortSignal.any([signal, killer.signal]);
      return start<null>(name, settings, {
        timeoutMs,
        signal: either,
        group: true,
        ...(file === null ? {} : { file }),
      });
    });
    const team = new Team(programs, killers);
    try {
      // The first makes what the others find.
      for (let index = 0; index < processes; index += 1) await team.call(index, 'prepare');
      await team.#requireSameClock();
      return team;
    } catch (error) {
      await team.end();
      throw error;
    }
  }

  get sender(): number {
    return 0;
  }

  get workers(): readonly number[] {
    const all = this.#programs.map((_, index) => index);
    return all.length === 1 ? all : all.slice(1).filter((index) => !this.#killed.has(index));
  }

  async call<Name extends CallName>(
    index: number,
    name: Name,
    ...given: Parameters<AgentCalls[Name]>
  ): Promise<Awaited<ReturnType<AgentCalls[Name]>>> {
    const program = this.#programs[index] as Program<null>;
    program.tell(name, given[0] ?? null);
    const { value, error } = (await program.heard(name)) as { value?: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return value as Awaited<ReturnType<AgentCalls[Name]>>;
  }

  callWorkers<Name extends CallName>(
    name: Name,
    ...given: Parameters<AgentCalls[Name]>
  ): Promise<Awaited<ReturnType<AgentCalls[Name]>>[]> {
    return Promise.all(this.workers.map((index) => this.call(index, name, ...given)));
  }

  /** Resolves when so many handlers ran in all workers, or none for so long that jobs are missing, which the ledger will tell. */
  async allRan(jobs: number, which: 'ran' | 'warmed' = 'ran', stallMs = STALL_MS): Promise<void> {
    let before = -1;
    let changedAt = performance.now();
    for (;;) {
      const counts = await this.callWorkers('ran');
      const ran = counts.reduce((sum, count) => sum + count[which], 0);
      if (ran >= jobs) return;
      if (ran !== before) changedAt = performance.now();
      else if (performance.now() - changedAt > stallMs) return;
      before = ran;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** SIGKILL, as the kernel does it to a process that takes too much memory. */
  async kill(index: number): Promise<void> {
    this.#killed.add(index);
    this.#killers[index]?.abort(new Error('Killed on purpose.'));
    await Promise.allSettled([this.#programs[index]?.result]);
  }

  /** Fills, runs and deletes other jobs, so that all processes run compiled code. */
  async warmUp(jobs: number, batch: number): Promise<void> {
    if (jobs === 0) return;
    await this.call(this.sender, 'fill', { jobs, payload: 10, batch, warm: true });
    await this.callWorkers('work');
    await this.allRan(jobs, 'warmed');
    await this.call(this.sender, 'settled');
    await this.callWorkers('stop');
    await this.call(this.sender, 'purge');
  }

  /** What the workers saw, and whether each job ran exactly once. Throws `CheckFailed` otherwise. */
  async report(what: string, jobs: number, sabotage: Sabotage | null): Promise<readonly Worked[]> {
    const worked = await this.callWorkers('stop');
    const ledger = new Ledger(jobs, sabotage);
    for (const { runs, strangers } of worked) ledger.add(runs, strangers);
    const { completed, ...others } = await this.call(this.sender, 'counts');
    // A system that deletes what is completed has none to count: they are those that are not there any more.
    const there = Object.values(others).reduce((sum, count) => sum + count, 0);
    const evidence: Evidence = {
      ledger: ledger.report(),
      counts: { ...others, completed: completed ?? jobs - there },
    };
    requireExactlyOnce(what, jobs, evidence);
    return worked;
  }

  async end(): Promise<void> {
    for (const program of this.#programs) program.tell('end');
    const left = setTimeout(() => {
      for (const killer of this.#killers) killer.abort(new Error('An agent did not end.'));
    }, END_MAX_MS);
    await Promise.allSettled(this.#programs.map(({ result }) => result));
    clearTimeout(left);
  }

  /** Latencies across processes are differences of two processes' clocks: those must be one clock. */
  async #requireSameClock(): Promise<void> {
    for (const index of this.#programs.keys()) {
      const before = monotonicMs();
      const theirs = await this.call(index, 'time');
      if (theirs < before || theirs > monotonicMs())
        throw new CheckFailed('The monotonic clocks of two processes differ. No figures are given.');
    }
  }
}

export interface TeamOptions {
  /** Program of agents beside this module's folder, or of `file`. */
  readonly name: string;
  readonly file: string | null;
  readonly settings: AgentSettings;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const STALL_MS = 20_000;
const LOOK_MS = 10;
const END_MAX_MS = 20_000;
