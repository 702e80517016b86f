import type { Clock } from '../core/clock.ts';
import type { FlowData } from '../core/flow/data.ts';
import type { PlanChange, PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import type { AnyFlow } from './flow.ts';

/**
 * The definitions that runs began with, stored once for each flow and version, as plans that nothing wakes. Any worker reads
 * them, so it needs none of the flow's code.
 */
export class Definitions {
  readonly #store: Store;
  readonly #known = new Map<string, FlowData>();
  readonly #stored = new Map<string, AnyFlow>();
  /** When it was last seen to be stored and not marked for deletion. */
  readonly #seenAt = new Map<string, number>();
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Null where nobody stored it. */
  async get(version: string): Promise<FlowData | null> {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    const plan = await this.#store.plan(keyOf(version));
    if (plan === null) return null;
    const data = JSON.parse(plan.value) as FlowData;
    this.#known.set(version, data);
    return data;
  }

  /** The flow itself, where this connection stored it. */
  code(version: string): AnyFlow | null {
    return this.#stored.get(version) ?? null;
  }

  /** Stores a flow and those its steps run, unless they are stored; looks at them again once an hour. */
  async put(flow: AnyFlow): Promise<void> {
    const now = this.#clock.now();
    const due = [flow, ...flow.flows].filter(({ version }) => {
      const seenAt = this.#seenAt.get(version);
      return seenAt === undefined || Math.abs(now - seenAt) >= RECHECK_MS;
    });
    if (due.length === 0) return;
    await Promise.all(due.map((one) => this.#putOne(one)));
    for (const one of due) {
      const { version, data } = one;
      this.#stored.set(version, one);
      this.#known.set(version, data);
      this.#seenAt.set(version, now);
    }
  }

  async #putOne({ name, version, data }: AnyFlow): Promise<void> {
    const key = keyOf(version);
    const made = { key, label: name, version: 0, value: JSON.stringify(data) };
    for (;;) {
      const plan = await this.#store.plan(key);
      if (plan !== null && plan.state !== RETIRING) return;
      const [receipt] = await this.#store.commit([{ plans: [changeOf(plan ?? made, STORED)] }]);
      // Otherwise somebody else was first: with the same, or with deleting it.
      if (receipt?.status === 'committed') return;
    }
  }
}

export const DEFINITION_KIND = 'flow';

/** Whoever starts runs looks after so long again whether their definition is there. */
export const RECHECK_MS = 3_600_000;

/** States of a definition; one that is `retiring` is to be deleted unless a run of it is started (definition-prune.ts). */
export const STORED = 'stored';
export const RETIRING = 'retiring';

const PREFIX = 'flow/';

function keyOf(version: string): string {
  return `${PREFIX}${version}`;
}

export function versionIn(key: string): string {
  return key.slice(PREFIX.length);
}

export function changeOf(
  { key, label, version, value }: Pick<PlanRecord, 'key' | 'label' | 'version' | 'value'>,
  state: string,
): PlanChange {
  return { key, kind: DEFINITION_KIND, label, state, version, value, wakeAt: null, expiresAt: null };
}
