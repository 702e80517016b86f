import { type PlanRef, planRefText } from '../core/plan.ts';

/** 22 characters of a URL, 128 bits. */
export function digestOf(text: string): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/**
 * The id of what stands for a part of a plan, a job or a run: always the same, so that a part is made once however often it
 * is decided. It has the form of other ids (core/ids.ts), with the part's time, in ms since the epoch, and a digest of the
 * reference.
 */
export function partId(ref: PlanRef, time: number): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  const hex = hash('sha256', planRefText(ref), 'hex');
  const ms = Math.floor(time).toString(16).padStart(12, '0');
  const variant = ((Number.parseInt(hex[3] as string, 16) & 0x3) | 0x8).toString(16);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`;
}
