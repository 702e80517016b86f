import { newId } from '../core/ids.ts';
import type { Talk } from '../store/talk.ts';
import { EVENT_NAMES, type EventBus, type EventName } from '../telemetry/events.ts';
import type { End } from './job-end.ts';

/** What a connection asks those that have workers. */
export type Ask =
  /** How did these jobs end? */
  | { readonly ask: 'ends'; readonly from: string; readonly ids: readonly string[] }
  /** Results are awaited here, and for the next AWAITS_MS: be able to tell of more. */
  | { readonly ask: 'await' }
  /** Events of these names are listened to here, for the next LISTENS_MS. */
  | { readonly ask: 'events'; readonly names: readonly EventName[] };

/** What a connection that has workers tells. */
export type Told =
  | {
      readonly tell: 'ends';
      readonly to: string;
      readonly ends: readonly (readonly [id: string, end: End])[];
    }
  /** These workers know nothing more of what was asked. */
  | { readonly tell: 'all'; readonly to: string; readonly workers: readonly string[] }
  | { readonly tell: 'events'; readonly events: readonly FarEvent[]; readonly missed: number }
  /** It begins to hear what is asked. */
  | { readonly tell: 'here' };

export type FarEvent = readonly [name: EventName, event: object];

/** The other connections to the same store, as far as this one needs them. It hears what they ask while it has workers. */
export class FarSide {
  /** Names this connection. */
  readonly id = newId();
  readonly workers: Set<string> = new Set();
  onAsk: readonly ((ask: Ask) => void)[] = [];
  onTold: readonly ((told: Told) => void)[] = [];
  /** Called when it hears what is told, for the first time or again. */
  onOpened: readonly (() => void)[] = [];
  readonly #talk: Talk;
  #listeners = 0;
  #leaveAsk: (() => void) | null = null;
  #leaveTold: (() => void) | null = null;

  constructor(talk: Talk, events: EventBus) {
    this.#talk = talk;
    events.on('worker.started', ({ workerId }) => this.#began(workerId));
    events.on('worker.stopped', ({ workerId }) => this.#ended(workerId));
  }

  ask(ask: Ask): void {
    this.#talk.say('ask', JSON.stringify(ask));
  }

  tell(told: Told): void {
    this.tellText(JSON.stringify(told));
  }

  /** The JSON of what is told. */
  tellText(text: string): void {
    this.#talk.say('tell', text);
  }

  /** Somebody here wants to hear what is told, until the returned function is called once. */
  listen(): () => void {
    this.#listeners += 1;
    this.#leaveTold ??= this.#talk.listen('tell', {
      heard: (text) => each(this.onTold, toldIn(text)),
      opened: () => {
        for (const call of this.onOpened) call();
      },
    });
    return () => {
      this.#listeners -= 1;
      if (this.#listeners > 0) return;
      this.#leaveTold?.();
      this.#leaveTold = null;
    };
  }

  close(): void {
    this.#leaveAsk?.();
    this.#leaveTold?.();
    this.onAsk = [];
    this.onTold = [];
    this.onOpened = [];
  }

  #began(workerId: string): void {
    this.workers.add(workerId);
    this.#leaveAsk ??= this.#talk.listen('ask', {
      heard: (text) => each(this.onAsk, askIn(text)),
      opened: () => this.tell({ tell: 'here' }),
    });
  }

  #ended(workerId: string): void {
    this.workers.delete(workerId);
    if (this.workers.size > 0) return;
    this.#leaveAsk?.();
    this.#leaveAsk = null;
  }
}

function each<Message>(hearers: readonly ((message: Message) => void)[], message: Message | null): void {
  if (message !== null) for (const hear of hearers) hear(message);
}

/** Null for what no connection of this version says. */
function askIn(text: string): Ask | null {
  const said = objectIn(text);
  if (said?.ask === 'await') return { ask: 'await' };
  if (said?.ask === 'ends' && typeof said.from === 'string' && areTexts(said.ids))
    return { ask: 'ends', from: said.from, ids: said.ids };
  if (said?.ask === 'events' && areTexts(said.names))
    return { ask: 'events', names: EVENT_NAMES.filter((name) => (said.names as string[]).includes(name)) };
  return null;
}

function toldIn(text: string): Told | null {
  const said = objectIn(text);
  const lists = said?.tell === 'ends' ? said.ends : said?.tell === 'events' ? said.events : [];
  const isWhole =
    (said?.tell === 'here' || said?.tell === 'ends' || said?.tell === 'all' || said?.tell === 'events') &&
    Array.isArray(lists) &&
    lists.every((item) => Array.isArray(item) && typeof item[1] === 'object' && item[1] !== null) &&
    (said.tell !== 'all' || areTexts(said.workers));
  return isWhole ? (said as unknown as Told) : null;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null ? (said as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
