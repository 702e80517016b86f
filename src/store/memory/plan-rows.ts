import type { NewReport, PlanChange, PlanRecord, Report } from '../plans.ts';

/** A plan with its kept texts and the reports nobody has taken in yet. */
export interface PlanRow extends Omit<PlanRecord, 'kept'> {
  /** Grows with every plan. */
  readonly seq: number;
  readonly kept: Map<string, string>;
  /** By `no`. */
  reports: Report[];
}

export type ReportFields = NewReport & Omit<Report, 'no' | keyof NewReport>;

/** The plans of a memory store. */
export class Plans {
  readonly byKey = new Map<string, PlanRow>();
  #lastSeq = 0;
  #lastReport = 0;

  /** At the version the change asks for. */
  fits({ key, version }: PlanChange): boolean {
    return (this.byKey.get(key)?.version ?? 0) === version;
  }

  write(change: PlanChange, now: number): void {
    const { key, kind, label, state, value, wakeAt, expiresAt, taken = [], keep = [] } = change;
    if (value === null) {
      this.byKey.delete(key);
      return;
    }
    const before = this.byKey.get(key);
    if (before === undefined) this.#lastSeq += 1;
    const kept = before?.kept ?? new Map<string, string>();
    for (const { name, text } of keep) text === null ? kept.delete(name) : kept.set(name, text);
    const gone = new Set(taken);
    this.byKey.set(key, {
      key,
      kind,
      label,
      state,
      version: change.version + 1,
      value,
      wakeAt,
      expiresAt,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      seq: before?.seq ?? this.#lastSeq,
      kept,
      reports: (before?.reports ?? []).filter(({ no }) => !gone.has(no)),
    });
  }

  /** False where there is no such plan: the report is dropped. */
  report(fields: ReportFields): boolean {
    const plan = this.byKey.get(fields.plan);
    if (plan === undefined) return false;
    this.#lastReport += 1;
    plan.reports.push({ ...fields, error: fields.error && { ...fields.error }, no: this.#lastReport });
    return true;
  }

  prune(now: number): void {
    for (const [key, { expiresAt }] of this.byKey)
      if (expiresAt !== null && expiresAt <= now) this.byKey.delete(key);
  }
}
