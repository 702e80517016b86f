/** What a caller may do: each role includes those before it. */
export const ROLES = ['look', 'act', 'administer'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}

export function includes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Who asks. `name` is in the audit trail of what they do. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}
