import type { BeatReceipt, WorkerBeat, WorkerLoad } from '../store.ts';
import { toWire } from './errors.ts';
import type { FromThread, ToThread } from './protocol.ts';
import type { Answer } from './transact.ts';

/** Beats for workers at their intervals, on the store thread. */
export class Heart {
  readonly #body: Body;
  readonly #keepers = new Map<number, Keeper>();

  constructor(body: Body) {
    this.#body = body;
  }

  hear(message: Extract<ToThread, { keeper: number }>): void {
    const { keeper: number } = message;
    switch (message.type) {
      case 'keepAlive': {
        const { worker, leaseMs, intervalMs } = message;
        const timer = setInterval(() => this.#beat(number), Math.min(intervalMs, 2 ** 31 - 1));
        this.#keepers.set(number, {
          worker,
          leaseMs,
          load: { slots: 0, slotsUsed: 0, profiles: [] },
          timer,
          beating: false,
        });
        return;
      }
      case 'load': {
        const keeper = this.#keepers.get(number);
        if (keeper !== undefined) keeper.load = message.load;
        return;
      }
      case 'letGo':
        clearInterval(this.#keepers.get(number)?.timer);
        this.#keepers.delete(number);
    }
  }

  stop(): void {
    for (const { timer } of this.#keepers.values()) clearInterval(timer);
    this.#keepers.clear();
  }

  /** Beats never pile up: while one is under way, the next is left out. */
  #beat(number: number): void {
    const keeper = this.#keepers.get(number);
    if (keeper === undefined || keeper.beating) return;
    keeper.beating = true;
    const { worker, leaseMs, load } = keeper;
    this.#body.beat({ worker, leaseMs, load }, (answer) => {
      keeper.beating = false;
      if (!this.#keepers.has(number)) return;
      const { say, file } = this.#body;
      if ('error' in answer) say({ type: 'unbeaten', keeper: number, error: toWire(answer.error, file) });
      else say({ type: 'beaten', keeper: number, receipt: answer.value as BeatReceipt });
    });
  }
}

interface Body {
  readonly beat: (input: WorkerBeat, answer: (answer: Answer) => void) => void;
  readonly say: (message: FromThread) => void;
  readonly file: string;
}

interface Keeper extends Pick<WorkerBeat, 'worker' | 'leaseMs'> {
  readonly timer: NodeJS.Timeout;
  load: WorkerLoad;
  beating: boolean;
}
