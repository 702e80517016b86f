import { optionInvalid } from '../core/errors.ts';

export const ROLES = ['processing', 'scheduling'] as const;

/** What a worker does: run jobs, or look after the store. */
export type WorkerRole = (typeof ROLES)[number];

/** Throws OPTION_INVALID. */
export function requireRoles(roles: readonly WorkerRole[]): readonly WorkerRole[] {
  if (!Array.isArray(roles)) throw optionInvalid('roles', roles, "a list of 'processing' and 'scheduling'");
  for (const [index, role] of roles.entries()) {
    if (!ROLES.includes(role)) throw optionInvalid(`roles[${index}]`, role, "'processing' or 'scheduling'");
  }
  return roles;
}
