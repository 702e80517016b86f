import type { Clock } from '../../core/clock.ts';
import { Keeper } from '../keeper.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat } from '../store.ts';
import type { Channel } from './channel.ts';
import { fromWire } from './errors.ts';
import type { FromThread } from './protocol.ts';

type Beat = (beat: WorkerBeat) => Promise<BeatReceipt>;

/**
 * The caller's side of beats. The store thread makes them (heart.ts); only where the caller brought a clock of its own,
 * as tests do, does that clock say when, here.
 */
export class KeepAlives {
  readonly #channel: Channel;
  readonly #beat: Beat;
  readonly #clock: Clock | undefined;
  readonly #keepers = new Map<number, Keeper>();
  #lastNumber = 0;

  constructor(channel: Channel, beat: Beat, clock: Clock | undefined) {
    this.#channel = channel;
    this.#beat = beat;
    this.#clock = clock;
  }

  start(options: KeepAliveOptions): KeepAlive {
    const keeper = ++this.#lastNumber;
    const forget = () => this.#keepers.delete(keeper);
    const kept = new Keeper(options, {
      beat: this.#beat,
      tell: (load) => this.#channel.say({ type: 'load', keeper, load }),
      letGo: () => {
        if (forget()) this.#channel.say({ type: 'letGo', keeper });
      },
    });
    this.#keepers.set(keeper, kept);
    const { worker, leaseMs, intervalMs } = options;
    if (this.#clock !== undefined) kept.follow(this.#clock);
    else this.#channel.say({ type: 'keepAlive', keeper, worker, leaseMs, intervalMs });
    return kept;
  }

  hear(message: Extract<FromThread, { keeper: number }>): void {
    const keeper = this.#keepers.get(message.keeper);
    if (message.type === 'beaten') keeper?.beaten(message.receipt);
    else keeper?.failed(fromWire(message.error));
  }

  close(): void {
    for (const keeper of this.#keepers.values()) void keeper.close();
  }
}
