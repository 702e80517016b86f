import { ownFile } from '../../own-file.ts';

/** Asked for when it is used: a bundled program that uses another store does not need it. Throws PACKAGE_INCOMPLETE. */
export function scriptsFolder(): URL {
  return ownFile('./lua/', import.meta.url);
}
