import { constants } from 'node:os';
import { formatDuration } from '../core/duration.ts';
import type { Worker } from '../worker/worker.ts';
import type { Output } from './output.ts';
import { counted } from './text.ts';

/**
 * SIGINT and SIGTERM stop the worker gracefully; another one ends the process at once, with the shell's exit code.
 * So does a reader of standard output that has gone away stop it gracefully.
 */
export interface Signals {
  /** Resolves when a stop that a signal began has ended. */
  readonly stopped: Promise<void>;
  /** Gives the signals back to Node. */
  release(): void;
}

const NAMES = ['SIGINT', 'SIGTERM'] as const;

/** npm and npx pass a signal on that the terminal has sent to the whole group: two copies, no second wish. */
const COPY_MS = 250;

export function stopOnSignals(worker: Worker, out: Output): Signals {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const release = onFirstSignal(out, (signal) => {
    if (signal !== 'EPIPE') out.say(farewell(worker));
    worker.stop().then(resolve, reject);
  });
  // A failure reaches whoever waits for `stopped`; nobody does with --once and --until-idle.
  promise.catch(() => undefined);
  return { stopped: promise, release };
}

/** Resolves at SIGINT, SIGTERM, or when the reader of standard output has gone away. */
export function untilSignal(out: Output): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onFirstSignal(out, () => resolve());
  return promise;
}

/** For a program that ends by itself: the signal aborts at SIGINT, SIGTERM, or when nobody reads what it prints. */
export function loadStopper(out: Output): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const release = onFirstSignal(out, () => stop.abort());
  return { signal: stop.signal, release };
}

/** Returns what gives the signals back to Node. */
function onFirstSignal(out: Output, stop: (signal: NodeJS.Signals | 'EPIPE') => void): () => void {
  let first: { readonly signal: string; readonly at: number } | null = null;
  const begin = (signal: NodeJS.Signals | 'EPIPE'): void => {
    first = { signal, at: performance.now() };
    stop(signal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === null) begin(signal);
    else if (first.signal !== signal || performance.now() - first.at > COPY_MS)
      process.exit(128 + constants.signals[signal]);
  };
  const { onReaderGone } = out;
  out.onReaderGone = () => {
    if (first === null) begin('EPIPE');
  };
  for (const name of NAMES) process.on(name, onSignal);
  return () => {
    for (const name of NAMES) process.off(name, onSignal);
    out.onReaderGone = onReaderGone;
  };
}

function farewell({ running, settings }: Worker): string {
  if (running === 0) return 'Stopping.';
  return `Stopping: waits up to ${formatDuration(settings.graceMs)} for ${counted(running, 'running job')}. Again to stop at once.`;
}
