/** A signal asked the program to stop. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/** Copies of one Ctrl-C, as npm and shells make them, arrive within this time. */
const COPY_WINDOW_MS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** An AbortSignal that the first SIGINT or SIGTERM aborts with an Interruption. A second one ends the process at once. */
export function interruptible(onFirst: () => void): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  let firstAt = 0;
  const listener = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      onFirst();
      controller.abort(new Interruption(signal as 'SIGINT' | 'SIGTERM'));
    } else if (performance.now() - firstAt > COPY_WINDOW_MS) {
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: controller.signal,
    forget: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
