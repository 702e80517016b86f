import type { Store } from '../store/store.ts';
import { TALK_CHARS_MAX } from '../store/talk.ts';
import type { Ask, FarSide, Told } from './far-side.ts';
import type { End } from './job-end.ts';
import { RecentEnds } from './recent-ends.ts';

/**
 * Ends of jobs of which the store keeps nothing, from the connection whose worker wrote them to those that await them. A
 * connection with workers remembers its last ends. One that finds an awaited job gone asks all others, until each living
 * worker has said that it knows nothing more.
 */
export class FarEnds {
  readonly #store: Store;
  readonly #far: FarSide;
  readonly #recent = new RecentEnds();
  readonly #writes = new Set<Promise<unknown>>();
  readonly #questions = new Set<Question>();
  #asks = 0;
  #leave: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(store: Store, far: FarSide) {
    this.#store = store;
    this.#far = far;
    far.onAsk = [...far.onAsk, (ask) => this.#asked(ask)];
    far.onTold = [...far.onTold, (told) => this.#told(told)];
    far.onOpened = [...far.onOpened, () => this.#sayAwaited()];
  }

  /** Results are awaited here, or no more. */
  awaits(on: boolean): void {
    if (on) this.#leave ??= this.#far.listen();
    else {
      this.#leave?.();
      this.#leave = null;
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  /** This connection's worker ends jobs by `write`. */
  writes(write: Promise<unknown>): void {
    if (this.#far.workers.size === 0) return;
    this.#writes.add(write);
    const over = (): void => void this.#writes.delete(write);
    write.then(over, over);
  }

  /** And did. */
  wrote({ items, endAt, chars }: Written): void {
    if (this.#far.workers.size > 0) this.#recent.add({ items, endAt, chars: chars() });
  }

  /** How these jobs ended, at most a read's, of those that another connection knows of. Takes at most ASK_MS, and no time where nobody else has workers. */
  async ask(ids: readonly string[]): Promise<ReadonlyMap<string, End>> {
    const workers = await this.#store.workers().catch(() => []);
    const others = workers.filter(({ id, alive }) => alive && !this.#far.workers.has(id));
    const ends = new Map<string, End>();
    if (others.length === 0) return ends;
    const { promise, resolve } = Promise.withResolvers<void>();
    const from = `${this.#far.id}.${++this.#asks}`;
    const question = { from, ids: new Set(ids), silent: new Set(others.map(({ id }) => id)), ends, resolve };
    this.#questions.add(question);
    const say = (): void => this.#far.ask({ ask: 'ends', from, ids: [...question.ids] });
    say();
    // What is said may be lost, as while somebody begins to listen.
    const again = setInterval(say, AGAIN_MS);
    const limit = setTimeout(resolve, ASK_MS);
    await promise;
    clearInterval(again);
    clearTimeout(limit);
    this.#questions.delete(question);
    return ends;
  }

  #sayAwaited(): void {
    if (this.#leave === null) return;
    this.#far.ask({ ask: 'await' });
    this.#timer ??= setInterval(() => this.#far.ask({ ask: 'await' }), AWAITS_MS).unref();
  }

  #asked(ask: Ask): void {
    if (ask.ask === 'await') this.#recent.awaited();
    else if (ask.ask === 'ends') void this.#answer(ask.from, new Set(ask.ids));
  }

  /** What is being written may have been deleted by it already. */
  async #answer(to: string, ids: ReadonlySet<string>): Promise<void> {
    await Promise.allSettled([...this.#writes]);
    let ends: [string, End][] = [];
    let chars = 0;
    const send = (): void => {
      if (ends.length > 0) this.#far.tell({ tell: 'ends', to, ends });
      [ends, chars] = [[], 0];
    };
    for (const [id, end] of this.#recent.find(ids)) {
      const size = JSON.stringify(end).length + id.length + ROOM_CHARS;
      if (size > TALK_CHARS_MAX - ROOM_CHARS) continue;
      if (chars + size > TALK_CHARS_MAX - ROOM_CHARS) send();
      ends.push([id, end]);
      chars += size;
    }
    send();
    this.#far.tell({ tell: 'all', to, workers: [...this.#far.workers] });
  }

  #told(told: Told): void {
    if (told.tell !== 'ends' && told.tell !== 'all') return;
    for (const { from, ids, silent, ends, resolve } of this.#questions) {
      if (told.to !== from) continue;
      if (told.tell === 'all') for (const worker of told.workers) silent.delete(worker);
      else
        for (const [id, end] of told.ends)
          if (ids.delete(id)) ends.set(id, { state: end.state, result: end.result, error: end.error });
      if (ids.size === 0 || silent.size === 0) resolve();
    }
  }
}

interface Written {
  readonly items: readonly { readonly id: string }[];
  readonly endAt: (index: number) => End | null;
  readonly chars: () => number;
}

interface Question {
  /** Names it in answers: what is all for one is not all for another. */
  readonly from: string;
  /** Not answered yet. */
  readonly ids: Set<string>;
  /** Workers that did not say yet that they know nothing more. */
  readonly silent: Set<string>;
  readonly ends: Map<string, End>;
  readonly resolve: () => void;
}

const AGAIN_MS = 500;
/** A worker whose event loop is held answers late. */
const ASK_MS = 5_000;
const AWAITS_MS = 10_000;
/** What stands around an end, and around a list of them. */
const ROOM_CHARS = 200;
