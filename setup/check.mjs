/** `npm run check`: format and lint, types, architecture. One line a step; a step's output is shown when it fails. */
import { existsSync } from 'node:fs';
import { runChild } from './child.mjs';
import { tool } from './tools.mjs';

const ARCHITECTURE_TEST = 'test/architecture.test.ts';

const steps = [
  {
    name: 'format and lint',
    args: () => [tool('biome'), 'check', '--error-on-warnings', '--diagnostic-level=warn', '.'],
  },
  { name: 'types', args: () => [tool('tsc'), '--noEmit'] },
  { name: 'types of the page', args: () => [tool('tsc'), '--noEmit', '-p', 'src/page'] },
  { name: 'architecture', args: architectureArguments },
];

let failed = 0;
for (const { name, args } of steps) {
  const startedAt = performance.now();
  const { code, signal, output } = await runChild(process.execPath, args(), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (signal !== null) process.exit(1);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)\n`);
  if (code === 0) continue;
  failed++;
  process.stdout.write(`${output.trimEnd()}\n\n`);
}
process.exitCode = failed === 0 ? 0 : 1;

function architectureArguments() {
  if (!existsSync(ARCHITECTURE_TEST))
    return ['-e', `console.error('${ARCHITECTURE_TEST} is missing'); process.exitCode = 1`];
  return ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=spec', ARCHITECTURE_TEST];
}
