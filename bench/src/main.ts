import { runBench } from './index.ts';

/** Starts the kit: `npm run -s bench`. */
process.exitCode = await runBench(process.argv.slice(2));
