import { settle as rule } from '../../core/settle-rule.ts';
import { isReply } from './errors.ts';
import { giveBack, subjectsOf } from './give-back.ts';
import type { Session } from './session.ts';

/** How often lost claims are looked for. */
const LOOK_MS = 1_000;

/**
 * Claims whose answers may have been lost: the connection broke or was given up, and their jobs, if they got any, are leased
 * to a worker that knows nothing of them and whose beats would renew them for ever. They are looked for by the ids this
 * store gave them, and given back uncharged, until they are found or two lease times have passed.
 */
export class LostClaims {
  readonly #session: Session;
  readonly #claims = new Map<string, { readonly workerId: string; readonly until: number }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** How many are looked for. */
  get size(): number {
    return this.#claims.size;
  }

  /** Takes note of a claim that ended in `error`, unless the server itself refused it. */
  add(
    error: unknown,
    claim: { readonly id: string; readonly workerId: string; readonly leaseMs: number },
  ): void {
    if (isReply(error)) return;
    this.#claims.set(claim.id, { workerId: claim.workerId, until: performance.now() + 2 * claim.leaseMs });
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
    for (const [id, { workerId, until }] of this.#claims) {
      const found = await this.#giveBack(id, workerId).catch(() => false);
      if (found || until < performance.now()) this.#claims.delete(id);
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
    const done = await giveBack(this.#session, { move: 'release', forget: null, now }, subjects, changes);
    return done.every(Boolean);
  }
}
