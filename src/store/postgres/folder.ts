import { ownFile } from '../../own-file.ts';

/** Asked for when it is used: a bundled program that uses another store does not need it. Throws PACKAGE_INCOMPLETE. */
export function migrationsFolder(): URL {
  return ownFile('./migrations/', import.meta.url);
}
