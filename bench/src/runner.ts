import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Mailbox, type Outgoing } from './program.ts';

/**
 * Starts measured programs as child processes and bounds them in time. A child's standard output goes to standard
 * error: standard output belongs to the one JSON document.
 */
export interface ProgramOptions {
  /** The child is killed, and the measurement fails, after this long. */
  readonly timeoutMs: number;
  /** Kills the child. */
  readonly signal?: AbortSignal | undefined;
  /** When it is killed or fails, the processes that it has started are killed, too. */
  readonly group?: boolean;
  /** For Node, before the program: `--cpu-prof` and the like. */
  readonly nodeArguments?: readonly string[];
  /** Another file to run, e.g. of a build; default: the program's module beside this one. */
  readonly file?: string;
}

export interface Program<Result> {
  /** Rejects when the child fails, is killed, or takes too long. */
  readonly result: Promise<Result>;
  tell(name: string, value?: unknown): void;
  /** What the child said under this name; rejects when it ends before. */
  heard(name: string): Promise<unknown>;
}

/** `.ts` in the sources, `.js` as built. */
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export function programFile(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}${EXTENSION}`, import.meta.url));
}

/** Starts the program and resolves to its result. */
export function run<Result>(name: string, settings: unknown, options: ProgramOptions): Promise<Result> {
  return start<Result>(name, settings, options).result;
}

export function start<Result>(name: string, settings: unknown, options: ProgramOptions): Program<Result> {
  options.signal?.throwIfAborted();
  const child = fork(options.file ?? programFile(name), [], {
    stdio: ['ignore', 2, 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...(options.nodeArguments ?? [])],
    serialization: 'advanced',
    env: withoutSettings(process.env),
    detached: inGroup(options),
  });
  const mailbox = new Mailbox();
  const tell = (what: string, value?: unknown): void => {
    if (child.connected) child.send({ tell: what, value });
  };
  const result = outcome<Result>(name, child, mailbox, options);
  // Whoever waits for something the child says learns of its end, too; nobody has to.
  result.catch(() => undefined);
  tell('settings', settings);
  const early = result.then(() => Promise.reject(new Error(`The program '${name}' ended too early.`)));
  early.catch(() => undefined);
  return { result, tell, heard: (what) => Promise.race([mailbox.take(what), early]) };
}

/** Settings of whoever measures, such as LONGSHORE_LEASE_MS, are not to change what is measured. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('LONGSHORE_') || name.startsWith('LONGSHORE_BENCH_'),
    ),
  );
}

function outcome<Result>(
  name: string,
  child: ChildProcess,
  mailbox: Mailbox,
  options: ProgramOptions,
): Promise<Result> {
  const { timeoutMs, signal } = options;
  return new Promise<Result>((resolve, reject) => {
    let result: { readonly value: Result } | null = null;
    let failure: unknown = null;
    const kill = (reason: unknown): void => {
      failure ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => kill(signal?.reason);
    const timer = setTimeout(
      () =>
        kill(new Error(`The program '${name}' did not end within ${timeoutMs / 1_000} s and was killed.`)),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('message', (message: Outgoing) => {
      if ('say' in message) mailbox.put(message.say, message.value);
      else if ('failed' in message) failure ??= new Error(`The program '${name}' failed: ${message.failed}`);
      else result = { value: message.result as Result };
    });
    child.once('error', kill);
    child.once('close', (code, ended) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (result === null && inGroup(options)) killGroup(child);
      if (failure !== null) reject(failure);
      else if (result !== null) resolve(result.value);
      else
        reject(new Error(`The program '${name}' ended without a result (${ended ?? `exit code ${code}`}).`));
    });
  });
}

/** A process that leads a group of its own (POSIX), which all that it starts belong to. */
function inGroup({ group = false }: ProgramOptions): boolean {
  return group && process.platform !== 'win32';
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}
