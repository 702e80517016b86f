/** Both sides of a slate of files, under a limit of their size. */
import { HostFileSlate, openFileSlate, type PoolFileSlate } from '../../../src/execution/slate-files.ts';

const pool = openFileSlate() as PoolFileSlate;
const host = new HostFileSlate(pool.descriptors);
pool.open(3);
host.open();
const written = ['first\n', `${'x'.repeat(20_000)}\n`, 'third\n'].map((line) => host.write(line));
const read = pool.read().split('\n').slice(0, -1);
process.stdout.write(JSON.stringify({ written, read }));
