import { optionInvalid } from '../core/errors.ts';

export const ROLES = ['processing', 'scheduling'] as const;

/** What a worker does: run jobs, or look after the store. */
export type WorkerRole = (typeof ROLES)[number];

/** Throws OPTION_INVALID. */
export function requireRoles(roles: readonly WorkerRole[]): readonly WorkerRole[] {
  if (!Array.isArray(roles)) throw optionInvalid('roles', roles, "a list of 'processing' and 'scheduling'");
  for (const [index, role] of roles.entries()) requireRole(`roles[${index}]`, role);
  return roles;
}

/** Throws OPTION_INVALID. */
export function requireRole(field: string, role: WorkerRole): void {
  if (!ROLES.includes(role)) throw optionInvalid(field, role, "'processing' or 'scheduling'");
}
