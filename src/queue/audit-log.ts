import type { Clock } from '../core/clock.ts';
import { optionInvalid, requireInteger, requireName, showNul } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';

/**
 * What people did by hand, in one list for the whole store, also what leaves no trail of its own: a queue was paused, a job
 * was removed. Entries are plans that nothing wakes, and are deleted after 90 days. The command line and the HTTP API write
 * them; a program that acts for people writes its own. `longshore.audit`.
 */
export interface AuditRecord {
  readonly at: number;
  readonly by: string;
  /** As `pauseQueue`. */
  readonly action: string;
  /** What it was done to, such as an id or the name of a queue; null: the whole store. */
  readonly target: string | null;
  readonly why: string | null;
  /** Further facts, JSON. */
  readonly details: unknown;
}

export interface AuditListOptions {
  readonly action?: string;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface NewAudit {
  /** 1 to 200 characters. */
  readonly by: string;
  /** 1 to 100 characters. */
  readonly action: string;
  readonly target?: string | null;
  readonly why?: string | null;
  /** Left out where its JSON has more than 4,000 characters. */
  readonly details?: unknown;
}

const KIND = 'audit';
const KEPT_MS = 90 * 86_400_000;
const DETAILS_CHARS_MAX = 4_000;
const NEW_AUDIT = knownNames<NewAudit>({ by: true, action: true, target: true, why: true, details: true });
const LIST_OPTIONS = knownNames<AuditListOptions>({ action: true, limit: true, cursor: true });

export class AuditLog {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves when it is stored; does nothing where the store keeps no plans. Rejects with OPTION_INVALID. */
  async record(entry: NewAudit): Promise<void> {
    requireOptions('audit.record', entry, NEW_AUDIT);
    const { target = null, why = null, details } = entry;
    if (target !== null && typeof target !== 'string')
      throw optionInvalid('target', target, 'a string or null');
    if (why !== null && typeof why !== 'string') throw optionInvalid('why', why, 'a string or null');
    if (!this.#store.capabilities.plans) return;
    const at = Math.floor(this.#clock.now());
    const record: AuditRecord = {
      at,
      by: requireName('by', entry.by),
      action: requireName('action', entry.action, 100),
      target: target === null ? null : showNul(target),
      why: why === null ? null : showNul(why),
      details: bounded(details),
    };
    const value = JSON.stringify(record);
    const base = { kind: KIND, label: record.action, state: 'done', version: 0, wakeAt: null };
    await this.#store.commit([
      { plans: [{ ...base, key: `${KIND}/${newId(at)}`, value, expiresAt: at + KEPT_MS }] },
    ]);
  }

  /** Newest first. Rejects with OPTION_INVALID. */
  async list(
    options: AuditListOptions = {},
  ): Promise<{ readonly entries: AuditRecord[]; readonly cursor: string | null }> {
    requireKnown('audit.list', options, LIST_OPTIONS);
    const { action, limit = 50, cursor } = options;
    const page = await this.#store.listPlans({
      kind: KIND,
      limit: requireInteger('limit', limit, 1, 1_000),
      ...(action === undefined ? {} : { label: requireName('action', action, 100) }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { entries: page.plans.map(recordOf), cursor: page.cursor };
  }
}

function recordOf({ value }: PlanRecord): AuditRecord {
  return JSON.parse(value) as AuditRecord;
}

function bounded(details: unknown): unknown {
  const text = JSON.stringify(details ?? null);
  return text.length > DETAILS_CHARS_MAX ? null : JSON.parse(text);
}
