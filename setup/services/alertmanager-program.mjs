/** Where Alertmanager is: on this machine, or built with Go. Debian's reads its templates from where it is installed, and nowhere else. */
import { execFile } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from './go-program.mjs';

const run = promisify(execFile);

const MODULE = 'github.com/prometheus/alertmanager/cmd/alertmanager';
const VERSION = 'v0.28.1';

/** What a test says that is skipped for want of it. */
export const ALERTMANAGER_MISSING =
  'Alertmanager is not on the PATH. `CI=1 npm test -- test/deploy/alerts.test.ts` builds it once with Go, which takes some minutes; or put the program alertmanager on the PATH.';

export const { find: alertmanagerProgram, built: builtAlertmanager } = goProgram({
  name: 'Alertmanager',
  program: 'alertmanager',
  async build(folder) {
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: join(folder, 'part'), GOFLAGS: '-trimpath' };
    await run('go', ['install', '-ldflags', '-s -w', `${MODULE}@${VERSION}`], { env, maxBuffer: 2 ** 26 });
    renameSync(join(folder, 'part', 'alertmanager'), join(folder, 'alertmanager'));
  },
});
