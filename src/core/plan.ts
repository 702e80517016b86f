/**
 * Plans: small versioned documents that live in the store beside the jobs. A flow's run is one, a schedule another.
 * A job may name the plan it reports to; when the job ends, the store adds one report to that plan in the same commit.
 *
 * A reference names a plan and the part of it that the job stands for, in one text: `run/order-7 U+001F s:ship:0`.
 * Names have no control characters, so the text can be taken apart again.
 */
export const PLAN_SEPARATOR = '\u001f';

export interface PlanRef {
  /** Key of the plan. */
  readonly plan: string;
  /** Which part of the plan the job stands for; only the plan's own rule reads it. */
  readonly as: string;
}

export function planRefText({ plan, as }: PlanRef): string {
  return `${plan}${PLAN_SEPARATOR}${as}`;
}

export function parsePlanRef(text: string): PlanRef {
  const at = text.indexOf(PLAN_SEPARATOR);
  return at < 0 ? { plan: text, as: '' } : { plan: text.slice(0, at), as: text.slice(at + 1) };
}

/** The plan that a job with this `meta` reports to; null for none. Damaged text is searched for what is left of it. */
export function planRefIn(meta: string | null | undefined): PlanRef | null {
  if (meta == null || !meta.includes('"plan"')) return null;
  const plan = planTextIn(meta);
  return typeof plan === 'string' ? parsePlanRef(plan) : null;
}

function planTextIn(meta: string): unknown {
  try {
    return (JSON.parse(meta) as { plan?: unknown }).plan;
  } catch {
    const [, text] = /"plan":("[^"\\]*\\u001f[^"\\]*")/.exec(meta) ?? [];
    return text === undefined ? null : JSON.parse(text);
  }
}
