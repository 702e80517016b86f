import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutOwnFrames } from '../../src/core/stack.ts';

const ROOT = new URL('../../', import.meta.url);

test("frames of this package and of Node's own modules go, all others stay", () => {
  const kept = [
    'TypeError: read of undefined',
    '    at send (file:///app/src/mail.ts:3:9)',
    '    at Object.run (/app/dist/tasks.js:10:5)',
    '    at Array.map (<anonymous>)',
    '    at async Promise.all (index 0)',
    'caused by: Error: ENOENT: no such file, open "node:x"',
  ];
  const own = [
    `    at runChecked (${new URL('src/execution/steps.ts', ROOT).href}:29:24)`,
    `    at async ${new URL('dist/shared/worker.js', ROOT).href}:1:2`,
    `    at settle (${decodeURI(new URL('src/worker/settler.ts', ROOT).pathname)}:3:4)`,
    '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
    '    at node:events:518:28',
    '    at async open (node:internal/fs/promises:639:25)',
  ];
  const mixed = [
    kept[0],
    own[0],
    kept[1],
    own[1],
    kept[2],
    own[2],
    kept[3],
    own[3],
    kept[4],
    own[4],
    kept[5],
    own[5],
  ];
  assert.equal(withoutOwnFrames(mixed.join('\n')), kept.join('\n'));
});
