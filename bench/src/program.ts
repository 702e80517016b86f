/**
 * The child's side of a measurement: every measured thing runs in a process of its own, so that nothing carries over
 * from one run to the next (memory, compiled code, open files). The parent's side is runner.ts.
 */
type Incoming = { readonly tell: string; readonly value: unknown };

export type Outgoing =
  | { readonly say: string; readonly value: unknown }
  | { readonly result: unknown }
  | { readonly failed: string };

/** How a program talks with its parent while it runs. */
export interface Parent {
  say(name: string, value?: unknown): void;
  /** Resolves when the parent told this, also when it was told before. */
  told(name: string): Promise<unknown>;
}

/** Runs `work` with the settings the parent sends, sends its result back and ends the process. It ends with its parent, too. */
export function program<Settings, Result>(
  work: (settings: Settings, parent: Parent) => Promise<Result>,
): void {
  if (process.send === undefined)
    throw new Error('This program is started by the benchmark runner, not by hand.');
  process.once('disconnect', () => process.exit(1));
  const mailbox = new Mailbox();
  process.on('message', ({ tell, value }: Incoming) => mailbox.put(tell, value));
  const parent: Parent = {
    say: (name, value) => send({ say: name, value }),
    told: (name) => mailbox.take(name),
  };
  mailbox
    .take('settings')
    .then((settings) => work(settings as Settings, parent))
    .then(
      (result) => end({ result }, 0),
      (error: unknown) =>
        end({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 1),
    );
}

/** Messages by name; one that nobody waits for yet is kept. */
export class Mailbox {
  readonly #kept = new Map<string, unknown>();
  readonly #waiting = new Map<string, (value: unknown) => void>();

  put(name: string, value: unknown): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting === undefined) this.#kept.set(name, value);
    else waiting(value);
  }

  take(name: string): Promise<unknown> {
    return new Promise((resolve) => {
      if (!this.#kept.has(name)) return void this.#waiting.set(name, resolve);
      resolve(this.#kept.get(name));
      this.#kept.delete(name);
    });
  }
}

function send(message: Outgoing): void {
  process.send?.(message);
}

/** Exits explicitly: what is measured must not decide when the process ends. */
function end(message: Outgoing, code: number): void {
  process.send?.(message, undefined, undefined, () => process.exit(code));
}
