/**
 * Loaded before every test file: makes a leaked handle (a timer, a socket, a worker that was not stopped) a failure.
 * Node's test runner would wait for such a file for ever. It does nothing in the threads and processes that tests
 * start, which inherit the flag that loads it.
 */
import { isMainThread } from 'node:worker_threads';

/** Long enough for what is closing at the end of the last test. */
const GRACE_MS = Number(process.env.LONGSHORE_TEST_GRACE_MS ?? 5_000);

const file = process.argv[1] ?? '';

if (isMainThread && process.env.NODE_TEST_CONTEXT !== undefined && file.endsWith('.test.ts')) {
  const { after } = await import('node:test');
  after(() => {
    // The timer itself does not keep the process alive: it fires only where something else does.
    setTimeout(fail, GRACE_MS).unref();
  });
}

function fail() {
  // Worker threads and open ports are not in Node's list of resources, hence the guess.
  const active =
    [...new Set(process.getActiveResourcesInfo())].join(', ') || 'nothing; perhaps a worker thread';
  process.stderr.write(
    `${file}: the tests are done, but ${GRACE_MS} ms later something still keeps the process alive ` +
      `(active according to Node: ${active})\n`,
  );
  process.exit(1);
}
