import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { noKeys } from '../src/cipher.ts';
import type { Clock } from '../src/core/clock.ts';
import { PAYLOAD_BYTES_MAX_DEFAULT, PayloadCodec } from '../src/core/payload.ts';
import { type ConnectOptions, connect, type EventName, type Events, Longshore } from '../src/index.ts';
import type { Store } from '../src/store/store.ts';
import { systemClock } from '../src/system-clock.ts';
import type { EventBus } from '../src/telemetry/events.ts';
import type { FakeClock } from '../src/testing/index.ts';
import { freshStore, missingFor, PICKED_KINDS, STORE_KINDS, type StoreKind } from './fresh-store.ts';

/**
 * What the tests of the client and the worker stand on: a fresh store of each kind, connections that are closed when
 * the test ends, and ways to wait for what happens. `STORES=memory` (comma-separated) picks the kinds.
 */
export interface Stage {
  readonly t: TestContext;
  readonly kind: StoreKind;
  readonly url: string;
  connect(options?: ConnectOptions): Promise<Longshore>;
  /** A connection to the same store through `wrap`, which may change what verbs do. */
  connectThrough(
    wrap: (store: Store) => Partial<Store>,
    options?: { readonly clock?: Clock; readonly log?: (events: EventBus) => void },
  ): Promise<Longshore>;
}

/** For what takes a store that keeps plans. */
export const PLAN_KINDS: readonly StoreKind[] = ['memory', 'sqlite', 'postgres', 'redis'];

/** For what takes two connections to one store. */
export const SHARED_KINDS: readonly StoreKind[] = ['sqlite', 'postgres', 'redis'];

/** Handlers that a failed test left behind do not hold up its end. */
const WORKER_SETTINGS = { graceMs: 100, abortGraceMs: 100 };

/** One test per kind of store, each on a store of its own. */
export function onEachStore(
  title: string,
  body: (stage: Stage) => Promise<void>,
  kinds: readonly StoreKind[] = STORE_KINDS,
): void {
  for (const kind of kinds.filter((name) => PICKED_KINDS.includes(name))) {
    test(`${title} (${kind})`, async (t) => {
      const missing = await missingFor(kind);
      if (missing === undefined) await body(await makeStage(t, kind));
      else t.skip(missing);
    });
  }
}

async function makeStage(t: TestContext, kind: StoreKind): Promise<Stage> {
  const open: Longshore[] = [];
  const { url, driver, remove, pace } = await freshStore(kind);
  waitABit = pace;
  t.after(async () => {
    try {
      for (const longshore of open.reverse()) await longshore.close();
    } finally {
      await remove();
    }
  });
  const closing = (longshore: Longshore): Longshore => {
    open.push(longshore);
    return longshore;
  };
  return {
    t,
    kind,
    url,
    connect: async (options = {}) =>
      closing(await connect(url, { workerSettings: WORKER_SETTINGS, logger: false, ...options })),
    connectThrough: async (wrap, { clock, log } = {}) => {
      const store = await driver.open(url, clock === undefined ? {} : { clock });
      const parts = {
        codec: new PayloadCodec(PAYLOAD_BYTES_MAX_DEFAULT, noKeys),
        workerSettings: WORKER_SETTINGS,
        clock: clock ?? systemClock,
        ...(log === undefined ? {} : { log }),
      };
      return closing(new Longshore(overlay(store, wrap(store)), parts));
    },
  };
}

/** Removed when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longshore-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** The store with other verbs. */
export function overlay(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(name in changes ? changes : target, name);
      return typeof value === 'function' && !(name in changes) ? value.bind(target) : value;
    },
  });
}

/** The next `count` events of this name that fit, from now on. */
export function nextEvents<Name extends EventName>(
  longshore: Longshore,
  name: Name,
  count: number,
  fits: (event: Events[Name]) => boolean = () => true,
): Promise<Events[Name][]> {
  const found: Events[Name][] = [];
  const { promise, resolve } = Promise.withResolvers<Events[Name][]>();
  const off = longshore.on(name, (event) => {
    if (!fits(event)) return;
    found.push(event);
    if (found.length !== count) return;
    off();
    resolve(found);
  });
  return promise;
}

export async function nextEvent<Name extends EventName>(
  longshore: Longshore,
  name: Name,
  fits?: (event: Events[Name]) => boolean,
): Promise<Events[Name]> {
  const [event] = await nextEvents(longshore, name, 1, fits);
  return event as Events[Name];
}

/** All events of these names, in the order they were emitted. */
export function record<Name extends EventName>(
  longshore: Longshore,
  ...names: Name[]
): { name: Name; event: Events[Name] }[] {
  const seen: { name: Name; event: Events[Name] }[] = [];
  for (const name of names) longshore.on(name, (event) => seen.push({ name, event }));
  return seen;
}

/**
 * For what no event tells: asks again until it holds, at every turn of the event loop or, where the test's store is a
 * server, as often as that answers. Faster, a clock moved by hand in between would outrun every lease.
 */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await waitABit();
}

/** Of the store of the test that runs: those of a file run one after the other. */
let waitABit: () => Promise<void> = nextTurn;

/** Moves the clock on until the promise is settled: what depends on time and on a real disk takes turns. */
export async function advanceUntil<T>(clock: FakeClock, done: Promise<T>, stepMs = 50): Promise<T> {
  let pending = true;
  const settled = done.finally(() => {
    pending = false;
  });
  await eventually(async () => {
    if (pending) await clock.advance(stepMs);
    return !pending;
  });
  return settled;
}

/** A gate that handlers wait at until the test opens it. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();

  /** Resolves once somebody waits. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  wait(): Promise<void> {
    this.#reached.resolve();
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }
}
