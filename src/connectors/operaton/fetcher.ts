import { systemClock } from '../../system-clock.ts';
import { Backoff, pause } from '../backoff.ts';
import type { Rest } from '../http/rest.ts';
import { type ExternalTask, requireTasks } from './external-task.ts';
import type { Checked, CheckedTopic } from './options.ts';

/**
 * Asks the engine for tasks, one request at a time, for no more than could start at once. A fetch without an answer may have
 * locked tasks that nobody knows of: they are looked for by the worker's id, and unlocked.
 */
export interface FetcherMeans {
  readonly rest: Rest;
  readonly workerId: string;
  readonly checked: Checked;
  /** How many tasks of a topic could start now; without a name, of all. */
  readonly room: (topic?: string) => number;
  /** Resolves when there may be more room. */
  readonly untilRoom: (signal: AbortSignal) => Promise<void>;
  readonly take: (task: ExternalTask) => void;
  /** The ids of tasks whose locks it knows to hold. */
  readonly held: () => Iterable<string>;
  /** The engine did not answer as it should, or does again: null. */
  readonly onTrouble: (error: unknown) => void;
}

interface Ask {
  readonly topics: readonly string[];
  readonly max: number;
  readonly waitMs: number;
}

export class Fetcher {
  readonly #means: FetcherMeans;
  readonly #backoff = new Backoff(RETRY_MAX_MS);
  /** A fetch failed since the last look for tasks that it may have locked. */
  #mayHaveStrays = false;

  constructor(means: FetcherMeans) {
    this.#means = means;
  }

  /** Fetches until `stop` aborts, and the fetch that is open then has been answered or `abandon` aborts. Never rejects. */
  async run(stop: AbortSignal, abandon: AbortSignal): Promise<void> {
    let isFull = false;
    while (!stop.aborted) {
      const ask = this.#pick(isFull);
      if (ask === null) {
        isFull = false;
        await this.#means.untilRoom(stop);
        continue;
      }
      try {
        if (this.#mayHaveStrays) await this.#unlockStrays(stop);
        const tasks = await this.#fetch(ask, abandon);
        isFull = tasks.length >= ask.max;
        this.#backoff.reset();
        this.#means.onTrouble(null);
        for (const task of tasks) this.#means.take(task);
      } catch (error) {
        this.#mayHaveStrays = true;
        if (abandon.aborted) break;
        this.#means.onTrouble(error);
        await pause(systemClock, this.#backoff.next(), stop);
      }
    }
    if (this.#mayHaveStrays)
      await this.#unlockStrays(AbortSignal.timeout(LAST_LOOK_MS)).catch(() => undefined);
  }

  /**
   * All topics that have room share a fetch that waits, sized by the least of them. When it comes back full, those with more
   * room are asked again at once, so that a narrow pool of threads holds nothing else up.
   */
  #pick(isFull: boolean): Ask | null {
    const { checked, room } = this.#means;
    if (room() < 1) return null;
    const rooms = [...checked.topics.keys()]
      .map((topic) => ({ topic, room: Math.min(room(topic), room()) }))
      .filter((one) => one.room > 0);
    if (rooms.length === 0) return null;
    const least = Math.min(...rooms.map((one) => one.room));
    const wider = rooms.filter((one) => one.room > least);
    const [asked, waitMs] = isFull && wider.length > 0 ? [wider, 0] : [rooms, checked.pollMs];
    return {
      topics: asked.map(({ topic }) => topic),
      max: Math.min(...asked.map((one) => one.room)),
      waitMs,
    };
  }

  async #fetch({ topics, max, waitMs }: Ask, signal: AbortSignal): Promise<readonly ExternalTask[]> {
    const { rest, workerId, checked } = this.#means;
    const body = {
      workerId,
      maxTasks: max,
      usePriority: checked.usePriority,
      // Left out, the engine answers at once.
      ...(waitMs === 0 ? {} : { asyncResponseTimeout: waitMs }),
      topics: topics.map((name) => request(name, checked)),
    };
    return requireTasks(await rest.call('POST', '/external-task/fetchAndLock', { body, waitMs, signal }));
  }

  async #unlockStrays(signal: AbortSignal): Promise<void> {
    const { rest, workerId } = this.#means;
    // Those that end meanwhile may be somebody else's by the time they would be unlocked.
    const held = new Set(this.#means.held());
    const query = new URLSearchParams({ workerId, locked: 'true' });
    const found = await rest.call('GET', `/external-task?${query}`, { signal });
    this.#mayHaveStrays = false;
    for (const { id } of Array.isArray(found) ? (found as { id: string }[]) : [])
      if (!held.has(id))
        await rest.ask('POST', `/external-task/${encodeURIComponent(id)}/unlock`, { signal });
  }
}

const RETRY_MAX_MS = 10_000;
const LAST_LOOK_MS = 2_000;

function request(topicName: string, { topics, tenantIds }: Checked): object {
  const topic = topics.get(topicName) as CheckedTopic;
  return {
    topicName,
    lockDuration: topic.lockMs,
    // Objects stay the JSON they are stored as; the engine would make Java of them.
    deserializeValues: false,
    ...(topic.variables === undefined ? {} : { variables: topic.variables }),
    ...(topic.localVariables === undefined ? {} : { localVariables: topic.localVariables }),
    ...(topic.businessKey === undefined ? {} : { businessKey: topic.businessKey }),
    ...(topic.processDefinitionKeys === undefined
      ? {}
      : { processDefinitionKeyIn: topic.processDefinitionKeys }),
    ...(topic.processVariables === undefined ? {} : { processVariables: topic.processVariables }),
    ...(topic.withoutTenantId === true ? { withoutTenantId: true } : {}),
    ...((topic.tenantIds ?? tenantIds) === null ? {} : { tenantIdIn: topic.tenantIds ?? tenantIds }),
    ...(topic.extensionProperties === true ? { includeExtensionProperties: true } : {}),
  };
}
