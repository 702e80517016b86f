import type { FlowData } from '../core/flow/data.ts';
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

  constructor(store: Store) {
    this.#store = store;
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

  /** Stores a flow and those its steps run, unless they are stored. */
  async put(flow: AnyFlow): Promise<void> {
    const missing = [flow, ...flow.flows].filter(({ version }) => !this.#stored.has(version));
    if (missing.length === 0) return;
    await this.#store.commit(missing.map((one) => ({ plans: [changeOf(one)] })));
    for (const one of missing) {
      const { version, data } = one;
      this.#stored.set(version, one);
      this.#known.set(version, data);
    }
  }
}

export const DEFINITION_KIND = 'flow';

function keyOf(version: string): string {
  return `flow/${version}`;
}

/** A conflict means that it is stored already: its digest is its key. */
function changeOf({ name, version, data }: AnyFlow) {
  return {
    key: keyOf(version),
    kind: DEFINITION_KIND,
    label: name,
    state: 'stored',
    version: 0,
    value: JSON.stringify(data),
    wakeAt: null,
    expiresAt: null,
  };
}
