import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { isError, messageOf, nameOf } from '../core/legible.ts';
import { EVENT_NAMES, type EventListener, type EventName } from '../telemetry/events.ts';
import type { Face } from './face.ts';
import type { HttpSettings } from './options.ts';
import { overviewOf } from './overview.ts';
import type { Redact } from './redaction.ts';
import type { Samples } from './samples.ts';

/**
 * Events as server-sent events: the catalogue's, of this process and (about jobs, runs, schedules and queues) of the others, and
 * `overview`, every 2 s. However many streams there are, each event is written as text once and the store is read once. A
 * stream whose reader is slower than its events is cut with a note, so that it holds BUFFER_BYTES at most.
 */
export const OVERVIEW = 'overview';

/** Sent to who does not name events: a busy worker has thousands of the others a second. */
const QUIET: ReadonlySet<string> = new Set<EventName>([
  'store.called',
  'tuner.sampled',
  'worker.claimed',
  'worker.settled',
]);

export const FEED_NAMES: readonly string[] = [OVERVIEW, ...EVENT_NAMES];

export interface FeedFilter {
  readonly names?: readonly string[] | undefined;
  /** Members that an event must have with these values; events without the member pass only if it is not asked for. */
  readonly members: Readonly<Record<string, string>>;
}

const BUFFER_BYTES = 262_144;
const OVERVIEW_MS = 2_000;
const BEAT_MS = 15_000;

interface Stream {
  readonly filter: FeedFilter;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

export interface FeedMeans {
  readonly longshore: Face;
  readonly settings: HttpSettings;
  readonly clock: Clock;
  readonly samples: Samples;
  readonly redact: Redact;
}

export class Feed {
  readonly #means: FeedMeans;
  readonly #streams = new Set<Stream>();
  readonly #encoder = new TextEncoder();
  readonly #heard = new Map<EventName, () => void>();
  #stop: (() => void)[] = [];
  #sent = 0;

  constructor(means: FeedMeans) {
    this.#means = means;
  }

  /** Throws HTTP_TOO_MANY. */
  open(filter: FeedFilter): ReadableStream<Uint8Array> {
    const { streamsMax } = this.#means.settings;
    if (this.#streams.size >= streamsMax)
      throw new LongshoreError(
        'HTTP_TOO_MANY',
        `${streamsMax} streams of events are open, as many as there may be (streamsMax); close one.`,
        { details: { retryAfterS: 5 } },
      );
    let stream: Stream | null = null;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = { filter, controller };
          this.#streams.add(stream);
          if (this.#streams.size === 1) this.#begin();
          this.#listen();
          this.#write(stream, this.#encoder.encode('retry: 2000\n\n'));
        },
        cancel: () => {
          if (stream !== null) this.#drop(stream);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
    );
  }

  get size(): number {
    return this.#streams.size;
  }

  close(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  /** To the names that some stream wants, and no others: workers elsewhere send what is listened to. */
  #listen(): void {
    const { longshore } = this.#means;
    for (const name of EVENT_NAMES) {
      const isWanted = [...this.#streams].some(({ filter }) => isNamed(filter, name));
      if (isWanted && !this.#heard.has(name))
        this.#heard.set(
          name,
          listenTo(longshore, name, (event) => this.#tell(name, event)),
        );
      if (isWanted) continue;
      this.#heard.get(name)?.();
      this.#heard.delete(name);
    }
  }

  #begin(): void {
    this.#every(BEAT_MS, () => this.#toAll(() => true, this.#encoder.encode(': beat\n\n')));
    this.#every(OVERVIEW_MS, () => this.#overview());
  }

  #every(ms: number, act: () => void): void {
    const { clock } = this.#means;
    let cancel = clock.after(ms, function again() {
      cancel = clock.after(ms, again);
      act();
    });
    this.#stop.push(() => cancel());
  }

  #overview(): void {
    if (![...this.#streams].some((stream) => wants(stream.filter, OVERVIEW, {}))) return;
    overviewOf(this.#means.samples).then(
      (overview) => this.#tell(OVERVIEW, overview),
      // The next one comes in 2 s.
      () => undefined,
    );
  }

  #tell(name: string, event: object): void {
    const isWanted = ({ filter }: Stream): boolean => wants(filter, name, event as Record<string, unknown>);
    let bytes: Uint8Array | null = null;
    for (const stream of [...this.#streams]) {
      if (!isWanted(stream)) continue;
      bytes ??= this.#encoder.encode(this.#text(name, event));
      this.#write(stream, bytes);
    }
  }

  #toAll(isWanted: (stream: Stream) => boolean, bytes: Uint8Array): void {
    for (const stream of [...this.#streams]) if (isWanted(stream)) this.#write(stream, bytes);
  }

  #text(name: string, event: object): string {
    this.#sent += 1;
    return `event: ${name}\nid: ${this.#sent}\ndata: ${textOf(this.#means.redact(plain(event)))}\n\n`;
  }

  #write(stream: Stream, bytes: Uint8Array): void {
    const { controller } = stream;
    if ((controller.desiredSize ?? 0) > 0) controller.enqueue(bytes);
    else {
      controller.enqueue(this.#encoder.encode(`event: cut\ndata: ${JSON.stringify({ why: CUT })}\n\n`));
      this.#end(stream);
    }
  }

  #end(stream: Stream): void {
    stream.controller.close();
    this.#drop(stream);
  }

  #drop(stream: Stream): void {
    this.#streams.delete(stream);
    this.#listen();
    if (this.#streams.size > 0) return;
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }
}

const CUT = 'The reader was slower than the events; open the stream again, and ask for fewer.';

function wants(
  { names, members }: FeedFilter,
  name: string,
  event: Readonly<Record<string, unknown>>,
): boolean {
  if (!isNamed({ names }, name)) return false;
  return Object.entries(members).every(([member, value]) => event[member] === value);
}

function isNamed({ names }: Pick<FeedFilter, 'names'>, name: string): boolean {
  return names === undefined ? !QUIET.has(name) : names.includes(name);
}

/** Also of other connections, where the event is about the work and the store carries it. */
function listenTo<Name extends EventName>(
  longshore: Face,
  name: Name,
  listener: EventListener<Name>,
): () => void {
  if (!/^(job|run|step|schedule|queue)\./.test(name)) return longshore.on(name, listener);
  try {
    return longshore.on(name, listener, { all: true });
  } catch {
    return longshore.on(name, listener);
  }
}

/** Errors, which JSON shows as empty, by their name and message. */
function plain(event: object): object {
  return Object.fromEntries(
    Object.entries(event).map(([member, value]) => [
      member,
      isError(value) ? { name: nameOf(value), message: messageOf(value) } : value,
    ]),
  );
}

/** What handlers log need not be JSON. */
function textOf(event: unknown): string {
  try {
    return JSON.stringify(event);
  } catch {
    return '{"unreadable":true}';
  }
}
