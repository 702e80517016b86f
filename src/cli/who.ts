import { hostname, userInfo } from 'node:os';

/** Named in audit trails unless `--by` names somebody else: user@host. */
export function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`;
  }
}
