/** Null where it was deleted. */
export function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/**
 * The folder from which Node read its flags: relative paths among them count from here, and the program may change its
 * folder later. Loaded with the package for that reason, not with the first process.
 */
export const STARTED_IN = currentFolder();
