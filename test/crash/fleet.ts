import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { monotonicMs, type Said } from './programs/say.ts';

/** Child processes of one test, and all they said. Whatever happens, none outlives the test. */
export class Fleet {
  readonly log: { readonly from: Member; readonly said: Said }[] = [];
  readonly #members = new Set<Member>();
  readonly #heard = new EventEmitter().setMaxListeners(0).on('error', () => undefined);

  constructor(t: TestContext) {
    t.after(() => this.end());
  }

  /** Resolves when all are gone: before the test's end where their store is taken away then. */
  async end(): Promise<void> {
    this.killAll();
    await Promise.all([...this.#members].map((member) => member.exited));
  }

  /** Runs programs/<program>.ts with `order` as its argument. */
  start(program: string, order: object, env: Readonly<Record<string, string>> = {}): Member {
    const member = new Member(program, order, env);
    this.#members.add(member);
    createInterface({ input: member.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      // What a killed process had not written to its end.
      if (!line.endsWith('}')) return;
      const said = JSON.parse(line) as Said;
      this.log.push({ from: member, said });
      this.#heard.emit('said', member, said);
    });
    void member.exited.then(() => {
      const { exitCode } = member.child;
      if (exitCode === null || exitCode === 0) return;
      this.#heard.emit('error', new Error(`A ${program} process ended with code ${exitCode}.`));
    });
    return member;
  }

  killAll(): void {
    for (const member of this.#members) member.kill();
  }

  /** Calls `listener` for everything said from now on. */
  onSaid(listener: (from: Member, said: Said) => void): void {
    this.#heard.on('said', listener);
  }

  /** Resolves when `holds`, which is asked again whenever something is said. Rejects when a process ends with an error. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#heard, 'said');
  }

  ready(member: Member): Promise<void> {
    return this.until(() => this.log.some(({ from, said }) => from === member && said.say === 'ready'));
  }

  all<Kind extends Said['say']>(kind: Kind): (Extract<Said, { say: Kind }> & { from: Member })[] {
    return this.log
      .filter(({ said }) => said.say === kind)
      .map(({ from, said }) => ({ ...(said as Extract<Said, { say: Kind }>), from }));
  }
}

export class Member {
  readonly child: ChildProcess;
  /** Resolves when the process is gone and all it said was heard. */
  readonly exited: Promise<unknown>;
  /** When it was killed; it lived until then at least. */
  killedAt = Number.POSITIVE_INFINITY;

  constructor(program: string, order: object, env: Readonly<Record<string, string>>) {
    const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    this.child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', file, JSON.stringify(order)],
      { stdio: ['pipe', 'pipe', 'inherit'], env: { ...inherited, ...env } },
    );
    this.child.stdin?.on('error', () => undefined);
    this.exited = once(this.child, 'close');
  }

  kill(): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.killedAt = Math.min(this.killedAt, monotonicMs());
    this.child.kill('SIGKILL');
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  tell(text: string): void {
    this.child.stdin?.write(`${text}\n`);
  }
}
