import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';

/** Folders that hold no files of the user's own. */
const SKIPPED = new Set(['.git', 'node_modules', '.longshore']);

export type Found =
  | { readonly type: 'file'; readonly path: string }
  /** Symbolic links, sockets, devices: not followed, not read. */
  | { readonly type: 'other'; readonly path: string }
  /** A folder that cannot be listed. */
  | { readonly type: 'closed'; readonly path: string; readonly reason: string };

/**
 * Everything below `folder`, by name within each folder, so that two walks over the same files agree. Left out are the
 * store's own files, which are `storeFile` and others whose names begin with it and a dash: they come and go.
 */
export async function* walk(folder: string, storeFile: string | null): AsyncGenerator<Found> {
  let entries: Dirent[];
  try {
    entries = await fs.readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield { type: 'closed', path: folder, reason: (error as Error).message };
    return;
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (storeFile !== null && (path === storeFile || path.startsWith(`${storeFile}-`))) continue;
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) yield* walk(path, storeFile);
    } else {
      yield { type: entry.isFile() ? 'file' : 'other', path };
    }
  }
}
