import { SingleBar } from 'cli-progress';

/**
 * Says on standard error what is measured now: a bar on a terminal (cli-progress), else a line a step. Nothing is
 * drawn while a step runs, so that drawing never disturbs what is measured.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #bar: SingleBar | null = null;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  start(steps: number): void {
    if (!this.#out.isTTY) return;
    this.#bar = new SingleBar({
      format: '{bar} {value}/{total} {step}',
      // Beside it the name of a step fits into 80 columns.
      barsize: 20,
      stream: this.#out,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      gracefulExit: false,
      // Drawn at each step only.
      noTTYOutput: false,
      fps: 1_000,
    });
    this.#bar.start(steps, 0, { step: '' });
  }

  /** Runs one step. */
  async step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#bar === null) this.#out.write(`${name} …\n`);
    else this.#bar.update({ step: name });
    const result = await work();
    this.#bar?.increment();
    return result;
  }

  /** Something the user should know of, which is no step. */
  note(text: string): void {
    const step = this.#bar === null ? '' : '\n';
    this.#out.write(`${step}${text}\n`);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
