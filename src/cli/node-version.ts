/** As package.json's `engines` says: what runs TypeScript as it is. */
const [LEAST_MAJOR, LEAST_MINOR] = [22, 18];

/** What a user is told whose Node is too old, of `process.versions.node`; null where it is not. */
export function faultOfNode(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)) return null;
  return (
    `error: longshore needs Node ${LEAST_MAJOR}.${LEAST_MINOR} or newer; this is Node ${version}. ` +
    'Install a newer one, or one for this folder alone: npm install node@24, then npx longshore.\n'
  );
}
