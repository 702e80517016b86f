import { constants as access, accessSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { Bench, CommonSettings } from './bench.ts';
import { describeMachine } from './machine.ts';
import { Progress } from './progress.ts';
import { type Document, recorded, SCHEMA } from './result.ts';
import { Workspace } from './workspace.ts';

interface OutputOptions {
  readonly json?: boolean;
  readonly output?: string;
  readonly dir?: string;
  readonly profile?: string | null;
}

/** From a measurement to a command's action: prints and saves its document. */
export function perform<Settings extends CommonSettings, Figures>(
  command: string,
  measure: (settings: Settings, bench: Bench) => Promise<Figures>,
  toTable: (figures: Figures) => string,
): (options: Settings & OutputOptions) => Promise<void> {
  return ({ json, output, dir, profile = null, ...rest }) =>
    inBench(command, { dir, profile }, async (bench) => {
      if (output !== undefined) requirePlaceFor(output);
      const settings = recorded(profile === null ? rest : { ...rest, profiled: true });
      const machine = describeMachine(bench.workspace.folder);
      const startedAt = new Date().toISOString();
      const began = performance.now();
      const figures = await measure(rest as never, bench);
      const tookMs = Math.round(performance.now() - began);
      bench.progress.stop();
      const heading = { schema: SCHEMA, command, startedAt, tookMs, settings, machine } as const;
      const document: Document<typeof settings, Figures> = { ...heading, ...figures };
      const text = `${JSON.stringify(document, null, 2)}\n`;
      process.stdout.write(json ? text : `${toTable(figures)}\n`);
      if (output !== undefined) writeFileSync(output, text);
    });
}

/** Found out before anything is measured. */
function requirePlaceFor(output: string): void {
  const folder = dirname(output);
  if (!existsSync(folder))
    throw new Error(`--output ${output}: there is no folder ${folder}; make it, or name a file elsewhere`);
  if (statSync(output, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`--output ${output}: that is a folder; expected the name of a file`);
  accessSync(folder, access.W_OK);
}

/**
 * Gives `act` what measurements need, a workspace first of all, ends it on SIGINT and SIGTERM, and turns what went wrong
 * into a message and an exit code.
 */
export async function inBench(
  command: string,
  { dir, profile }: Pick<Bench, 'profile'> & { readonly dir: string | undefined },
  act: (bench: Bench) => Promise<void>,
): Promise<void> {
  const interruption = new AbortController();
  const progress = new Progress();
  const stopListening = onInterrupt((signal) => interruption.abort(new Interrupted(signal)));
  try {
    const { signal } = interruption;
    await inWorkspace(dir, (workspace) => act({ workspace, progress, profile, signal }));
  } catch (error) {
    progress.stop();
    fail(command, error);
  } finally {
    stopListening();
  }
}

async function inWorkspace<T>(
  dir: string | undefined,
  use: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = new Workspace(dir);
  try {
    return await use(workspace);
  } finally {
    workspace.remove();
  }
}

class Interrupted extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

function onInterrupt(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

function fail(command: string, error: unknown): void {
  const interrupted = error instanceof Interrupted;
  process.stderr.write(`bench ${command}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = interrupted ? 128 + constants.signals[error.signal] : 1;
}
