import type { Admission } from '../execution/admission.ts';
import type { LaneJob } from '../execution/lane.ts';
import type { Slots } from '../tuner/slots.ts';

/** Where jobs may start: in a slot, or early, in a host that is handed them together with one that has a slot. */
export class Places {
  readonly #slots: Slots;
  readonly #admission: Admission | null;
  /** Jobs without a slot, since they wait in a host behind others. */
  early = 0;
  /** What `take` took was no slot: the job starts early. */
  tookNone = false;

  constructor(slots: Slots, admission: Admission | null) {
    this.#slots = slots;
    this.#admission = admission;
  }

  /** For a job of this task. False: there is none. */
  take(task: string): boolean {
    const admission = this.#admission;
    this.tookNone = false;
    const pool = admission === null ? null : admission.poolOf(task);
    if (admission === null || pool === null) return this.#slots.tryReserve();
    if (admission.room(pool) > 0 && this.#slots.tryReserve()) return true;
    this.tookNone = admission.early(task);
    if (this.tookNone) this.early += 1;
    return this.tookNone;
  }

  /** Of a slot that it shares, the next of those that do makes use now. */
  leave({ early, shared }: Pick<LaneJob, 'early' | 'shared'>): void {
    if (shared !== null) shared.jobs -= 1;
    if (shared === null ? early : shared.jobs > 0) this.early -= 1;
    else this.#slots.release();
  }
}
