import { isError, memberOf, messageOf } from '../core/legible.ts';

const CODES: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** Whether an import failed because the package itself, not one that it needs, is not installed. */
export function isMissingPackage(error: unknown, name: string): boolean {
  return isError(error) && CODES.includes(memberOf(error, 'code')) && messageOf(error).includes(`'${name}'`);
}
