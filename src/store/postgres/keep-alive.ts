import type { HeartStore } from '../heart.ts';
import type { BeatReceipt, WorkerBeat } from '../store.ts';
import { requireReady } from './migrate.ts';
import { openSession, type Session } from './session.ts';
import { type Place, placeOf, quoted } from './url.ts';
import { type BeatRow, beatText, toReceipt } from './workers.ts';

/** Beats on one connection, for the thread that keeps leases (store/heart.ts). */
export async function openHeart(url: string): Promise<HeartStore> {
  const place = placeOf(url);
  const heart = new Beating(place);
  await requireReady(await heart.session(), place);
  return heart;
}

/** A connection that broke is made anew by the next beat. */
class Beating implements HeartStore {
  readonly #place: Place;
  #session: Promise<Session> | null = null;
  #closed = false;

  constructor(place: Place) {
    this.#place = place;
  }

  async session(): Promise<Session> {
    const session = await this.#session?.catch(() => null);
    if (session != null && session.lost === null) return session;
    this.#session = openSession(this.#place);
    return this.#session;
  }

  /** The first statement on a connection that broke unseen fails; it is done again, since it may be done twice. */
  async beat(beat: WorkerBeat): Promise<BeatReceipt> {
    const session = await this.session();
    try {
      return await beatOn(session, this.#place, beat);
    } catch (error) {
      // One that was given up must not open another connection, which nobody would close.
      if (session.lost === null || this.#closed) throw error;
      return beatOn(await this.session(), this.#place, beat);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => null);
    await session?.close();
  }
}

async function beatOn(session: Session, { schema }: Place, beat: WorkerBeat): Promise<BeatReceipt> {
  const name = quoted(schema);
  const [row] = await session.query<BeatRow & { readonly now: number }>(
    `SELECT clock.now, answer.* FROM (SELECT coalesce($2, ${name}.now_ms()) AS now) AS clock,
       ${name}.beat($1, clock.now) AS answer`,
    [beatText(beat), beat.now ?? null],
  );
  return toReceipt(row, row?.now ?? 0, beat.now !== undefined);
}
