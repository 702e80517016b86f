import { settle as rule } from '../../core/settle-rule.ts';
import { giveBack, subjectsOf } from './give-back.ts';
import type { Session } from './session.ts';

/** How often lost claims are looked for. */
const LOOK_MS = 1_000;

/**
 * Claims whose answers may have been lost: the connection broke or was given up, and their jobs, if they got any, are leased
 * to a worker that knows nothing of them and whose beats would renew them for ever. They are looked for by the ids this
 * store gave them, and given back uncharged, until they are found or the server answered for two lease times.
 */
export class LostClaims {
  readonly #session: Session;
  readonly #claims = new Map<string, Sought>();
  #timer: NodeJS.Timeout | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** How many are looked for. */
  get size(): number {
    return this.#claims.size;
  }

  add({ id, workerId, leaseMs }: LostClaim): void {
    this.#claims.set(id, { id, workerId, leaseMs, until: performance.now() + 2 * leaseMs });
    this.#later();
  }

  close(): void {
    this.#claims.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS).unref();
  }

  async #look(): Promise<void> {
    for (const claim of [...this.#claims.values()]) {
      const { id, workerId, leaseMs, until } = claim;
      const found = await this.#giveBack(id, workerId).catch(() => null);
      // A server that stands still may yet carry out what it was sent: the time counts while it answers.
      if (found === null) claim.until = performance.now() + 2 * leaseMs;
      else if (found || until < performance.now()) this.#claims.delete(id);
    }
    this.#timer = null;
    if (this.#claims.size > 0) this.#later();
  }

  /** Whether it was found, and all of its jobs given back. */
  async #giveBack(claimId: string, workerId: string): Promise<boolean> {
    const { now, values } = await this.#session.scripts.run('claimed', undefined, [workerId, claimId]);
    const subjects = subjectsOf(values[0]);
    if (subjects.length === 0) return false;
    const changes = subjects.map((subject) => rule(subject, { type: 'released' }, now));
    const states = await giveBack(this.#session, { move: 'release', forget: null, now }, subjects, changes);
    return !states.includes(null);
  }
}

interface LostClaim {
  /** The claim's, as it was sent. */
  readonly id: string;
  readonly workerId: string;
  readonly leaseMs: number;
}

interface Sought extends LostClaim {
  /** By `performance.now()`. */
  until: number;
}
