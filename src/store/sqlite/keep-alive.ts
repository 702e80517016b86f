import type { CancelTimer, Clock } from '../../core/clock.ts';
import type { BeatReceipt, KeepAlive, KeepAliveOptions, WorkerBeat, WorkerLoad } from '../store.ts';
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
    const kept = new Keeper(
      options,
      this.#beat,
      (load) => this.#channel.say({ type: 'load', keeper, load }),
      () => {
        if (forget()) this.#channel.say({ type: 'letGo', keeper });
      },
    );
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

class Keeper implements KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #beat: Beat;
  readonly #tell: (load: WorkerLoad) => void;
  readonly #letGo: () => void;
  #load: WorkerLoad = { slots: 0, slotsUsed: 0, profiles: [] };
  #cancelTimer: CancelTimer = () => {};
  #closed = false;

  constructor(options: KeepAliveOptions, beat: Beat, tell: (load: WorkerLoad) => void, letGo: () => void) {
    this.#options = options;
    this.#beat = beat;
    this.#tell = tell;
    this.#letGo = letGo;
  }

  follow(clock: Clock): void {
    this.#cancelTimer = clock.after(this.#options.intervalMs, () => {
      this.beat().catch((error: unknown) => this.failed(error));
      this.follow(clock);
    });
  }

  update({ slots, slotsUsed, profiles }: WorkerLoad): void {
    const known = this.#load;
    if (slots === known.slots && slotsUsed === known.slotsUsed && profiles === known.profiles) return;
    this.#load = { slots, slotsUsed, profiles };
    if (!this.#closed) this.#tell(this.#load);
  }

  async beat(): Promise<void> {
    const { worker, leaseMs } = this.#options;
    this.beaten(await this.#beat({ worker, leaseMs, load: this.#load }));
  }

  beaten(receipt: BeatReceipt): void {
    if (!this.#closed) this.#options.onBeat(receipt);
  }

  failed(error: unknown): void {
    if (!this.#closed) this.#options.onError(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#letGo();
  }
}
