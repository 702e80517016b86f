/** Where Temporal's program is, which serves as well: on this machine, or built with Go, which takes some minutes and 250 MB. */
import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from './go-program.mjs';

const run = promisify(execFile);

/** The last version that `go install` takes: later ones replace modules. Its server is 1.29. */
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

/** What a test says that is skipped for want of it. */
export const TEMPORAL_MISSING =
  'Temporal is not on the PATH. `npm run services -- --temporal` builds it once with Go, which takes some minutes; or put the program temporal on the PATH.';

export const { find: temporalProgram, built: builtTemporal } = goProgram({
  name: 'Temporal',
  program: 'temporal',
  async build(folder) {
    const part = join(folder, 'part');
    mkdirSync(part, { recursive: true });
    const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0', GOBIN: part };
    await run('go', ['install', PACKAGE], { cwd: folder, env, maxBuffer: 2 ** 26 });
    renameSync(join(part, 'temporal'), join(folder, 'temporal'));
    rmSync(part, { recursive: true, force: true });
  },
});
