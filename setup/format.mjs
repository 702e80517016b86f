/** `npm run format [-- paths]`: writes the formatter's and the linter's safe fixes. */
import { runChild } from './child.mjs';
import { tool } from './tools.mjs';

const paths = process.argv.slice(2);
const { code } = await runChild(
  process.execPath,
  [tool('biome'), 'check', '--write', ...(paths.length > 0 ? paths : ['.'])],
  {
    stdio: 'inherit',
  },
);
process.exitCode = code;
