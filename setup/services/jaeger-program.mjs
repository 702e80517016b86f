/** Where Jaeger is: on this machine, or built with Go, which takes some minutes and 85 MB. */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from './go-program.mjs';

const run = promisify(execFile);

const MODULE = 'github.com/jaegertracing/jaeger/cmd/jaeger';
const VERSION = 'v1.76.0';

/** What a test says that is skipped for want of it. */
export const JAEGER_MISSING =
  'Jaeger is not on the PATH. `npm run services -- --jaeger` builds it once with Go, which takes some minutes; or put the program jaeger (2.x) on the PATH.';

export const { find: jaegerProgram, built: builtJaeger } = goProgram({
  name: 'Jaeger',
  program: 'jaeger',
  /** In a module of its own: `go install` refuses a module that replaces others. */
  async build(folder) {
    writeFileSync(join(folder, 'go.mod'), 'module jaeger-for-tests\n\ngo 1.25\n');
    const go = (...args) =>
      run('go', args, { cwd: folder, env: { ...process.env, CGO_ENABLED: '0' }, maxBuffer: 2 ** 26 });
    await go('get', '-tool', `${MODULE}@${VERSION}`);
    await go('build', '-trimpath', '-ldflags', '-s -w', '-o', 'jaeger.part', MODULE);
    renameSync(join(folder, 'jaeger.part'), join(folder, 'jaeger'));
  },
});
