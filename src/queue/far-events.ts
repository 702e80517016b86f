import { optionInvalid } from '../core/errors.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import type { PayloadCodec, PayloadPlace } from '../core/payload.ts';
import type { Store } from '../store/store.ts';
import { TALK_CHARS_MAX } from '../store/talk.ts';
import type { EventBus, EventListener, EventName, Events } from '../telemetry/events.ts';
import type { Ask, FarSide, Told } from './far-side.ts';

export interface ListenOptions {
  /**
   * Also events of other connections to the store, as far as they have workers: of jobs, runs, steps, schedules and queues. Best
   * effort: at most 500 events and 256 KiB in 50 ms of each connection, and `events.missed` says how many were not sent.
   */
  readonly all?: boolean;
}

const LISTEN_OPTIONS = knownNames<ListenOptions>({ all: true });

/** About the work itself; the others are about the process that emits them, or hold what is no JSON. */
function isFar(name: string): boolean {
  return /^(job|run|step|schedule|queue)\./.test(name);
}

/** How long others send what was asked for, and how often it is asked for again. */
const LISTENS_MS = 30_000;
const AGAIN_MS = 10_000;
/** Events are sent together, so many and so much at most. */
const FLUSH_MS = 50;
const EVENTS_MAX = 500;
const CHARS_MAX = TALK_CHARS_MAX - 1_000;

type AnyListener = (event: object) => void;

/** Events between connections. One that listens says so, and says it again; those with workers then send, and stop by themselves. */
export class FarEvents {
  readonly #far: FarSide | null;
  readonly #events: EventBus;
  readonly #codec: PayloadCodec;
  readonly #isAlone: boolean;
  /** Listeners here, by name. */
  readonly #listeners = new Map<EventName, Set<{ readonly call: AnyListener }>>();
  #leave: (() => void) | null = null;
  #asking: NodeJS.Timeout | null = null;
  /** What others listen to: until when, and how to stop listening to it here. */
  readonly #wanted = new Map<EventName, { until: number; readonly off: () => void }>();
  #looking: NodeJS.Timeout | null = null;
  #texts: string[] = [];
  #chars = 0;
  #missed = 0;
  #flushing: NodeJS.Timeout | null = null;

  constructor(store: Store, far: FarSide | null, events: EventBus, codec: PayloadCodec) {
    this.#far = far;
    this.#events = events;
    this.#codec = codec;
    this.#isAlone = !store.capabilities.shared;
    if (far === null) return;
    far.onAsk = [...far.onAsk, (ask) => this.#asked(ask)];
    far.onTold = [...far.onTold, (told) => this.#told(told)];
    far.onOpened = [...far.onOpened, () => this.#ask()];
  }

  /** As EventBus `on`. Throws OPTION_INVALID. */
  on<Name extends EventName>(
    name: Name,
    listener: EventListener<Name>,
    options: ListenOptions = {},
  ): () => void {
    requireKnown('on', options, LISTEN_OPTIONS);
    if (options.all !== undefined && typeof options.all !== 'boolean')
      throw optionInvalid('all', options.all, 'true or false');
    const off = this.#events.on(name, listener);
    if (options.all !== true || (this.#far === null && this.#isAlone)) return off;
    try {
      requireFar(name, this.#far);
    } catch (error) {
      off();
      throw error;
    }
    const subscription = { call: listener as unknown as AnyListener };
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(subscription));
    this.#leave ??= this.#far?.listen() ?? null;
    this.#asking ??= setInterval(() => this.#ask(), AGAIN_MS).unref();
    this.#ask();
    return () => {
      off();
      this.#remove(name, subscription);
    };
  }

  close(): void {
    this.#flush();
    this.#listeners.clear();
    this.#rest();
    for (const { off } of this.#wanted.values()) off();
    this.#wanted.clear();
    if (this.#looking !== null) clearInterval(this.#looking);
  }

  #remove(name: EventName, subscription: { readonly call: AnyListener }): void {
    const listeners = this.#listeners.get(name);
    listeners?.delete(subscription);
    if (listeners?.size === 0) this.#listeners.delete(name);
    if (this.#listeners.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#asking !== null) clearInterval(this.#asking);
    this.#asking = null;
    this.#leave?.();
    this.#leave = null;
  }

  #ask(): void {
    const names = [...this.#listeners.keys()];
    if (names.length > 0) this.#far?.ask({ ask: 'events', names });
  }

  #told(told: Told): void {
    if (told.tell === 'here') this.#ask();
    if (told.tell !== 'events' || this.#listeners.size === 0) return;
    let { missed } = told;
    for (const [name, packed] of told.events) {
      const listeners = this.#listeners.get(name);
      if (listeners === undefined) continue;
      try {
        const event = this.#unpacked(name, packed);
        for (const { call } of [...listeners]) callSafely(call, event);
      } catch {
        missed += 1;
      }
    }
    if (missed > 0) this.#events.emit('events.missed', { count: missed });
  }

  #asked(ask: Ask): void {
    if (ask.ask !== 'events') return;
    const until = performance.now() + LISTENS_MS;
    for (const name of ask.names) {
      const wanted = this.#wanted.get(name);
      if (wanted !== undefined) wanted.until = until;
      else if (isFar(name))
        this.#wanted.set(name, { until, off: this.#events.on(name, (event) => this.#send(name, event)) });
    }
    this.#looking ??= setInterval(() => this.#look(), AGAIN_MS).unref();
  }

  /** Nobody may listen any more. */
  #look(): void {
    for (const [name, { until, off }] of this.#wanted) {
      if (until > performance.now()) continue;
      off();
      this.#wanted.delete(name);
    }
    if (this.#wanted.size > 0 || this.#looking === null) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  #send(name: EventName, event: object): void {
    this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
    if (this.#texts.length >= EVENTS_MAX) {
      this.#missed += 1;
      return;
    }
    try {
      const text = JSON.stringify([name, this.#packed(name, event)]);
      if (this.#chars + text.length > CHARS_MAX) throw new Error('too much');
      this.#texts.push(text);
      this.#chars += text.length + 1;
    } catch {
      this.#missed += 1;
    }
  }

  #flush(): void {
    if (this.#flushing !== null) clearTimeout(this.#flushing);
    this.#flushing = null;
    if (this.#texts.length + this.#missed === 0) return;
    this.#far?.tellText(`{"tell":"events","missed":${this.#missed},"events":[${this.#texts.join()}]}`);
    [this.#texts, this.#chars, this.#missed] = [[], 0, 0];
  }

  /** What handlers gave is sealed where payloads are. */
  #packed(name: EventName, event: object): object {
    const given = givenIn(name, event as { readonly id: string });
    if (given === null) return event;
    const { field, place } = given;
    const value = (event as Readonly<Record<string, unknown>>)[field];
    return { ...event, [field]: this.#codec.encode(value, place, field) };
  }

  /** Throws where it cannot be opened here. */
  #unpacked(name: EventName, packed: object): object {
    const given = givenIn(name, packed as { readonly id: string });
    if (given === null) return packed;
    const { field, place } = given;
    const text = (packed as Readonly<Record<string, string | null>>)[field] ?? null;
    return { ...packed, [field]: this.#codec.decode(text, place, field) };
  }
}

/** The field of such an event that a handler gave. */
function givenIn(
  name: EventName,
  { id }: { readonly id: string },
): { readonly field: string; readonly place: PayloadPlace } | null {
  if (name === 'job.progressed') return { field: 'progress', place: { role: 'progress', id } };
  if (name === 'job.logged') return { field: 'data', place: { role: 'log', id } };
  return null;
}

function requireFar(name: keyof Events, far: FarSide | null): void {
  if (far === null)
    throw optionInvalid('all', true, 'false here: this store does not reach other connections');
  if (!isFar(name))
    throw optionInvalid(
      'all',
      true,
      `false for ${name}: only events of jobs, runs, steps, schedules and queues are sent`,
    );
}

/** As on the bus: a listener that throws is an uncaught exception of its own. */
function callSafely(call: AnyListener, event: object): void {
  try {
    call(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
