#!/usr/bin/env node
import * as modules from 'node:module';
import { faultOfNode } from './node-version.ts';
import { quietWarnings } from './warnings.ts';

/**
 * The command line program. This file only starts it: it must be quick for `--version` and shell completion, so
 * everything else, the argument parser included, is loaded when it is needed.
 */
process.title = 'longshore';
const fault = faultOfNode(process.versions.node);
if (fault !== null) {
  process.stderr.write(fault);
  process.exit(1);
}
// Halves the start of a command, most of all with task files in TypeScript. NODE_DISABLE_COMPILE_CACHE=1 switches it off.
// Not imported by name: an old Node has none, and would say so instead of what it lacks.
modules.enableCompileCache();
quietWarnings();

let ended = false;
process.once('beforeExit', () => {
  if (ended) return;
  process.stderr.write(
    'error: nothing is left to wait for; a task file awaits something that never happens.\n',
  );
  process.exit(1);
});

const code = await start(process.argv.slice(2));
ended = true;
// Task files may hold timers or connections open; what they promised was settled before this line.
process.stdout.write('', () => process.exit(code));

async function start(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    const { VERSION } = await import('../version.ts');
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const { run } = await import('./program.ts');
  return run(argv);
}
