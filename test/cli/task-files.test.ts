import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONGSHORE, Sandbox } from './longshore.ts';

const DEFINE = `import { defineTask } from ${JSON.stringify(LONGSHORE)};\n`;

function taskFile(name: string): string {
  return `${DEFINE}export const task = defineTask({ name: '${name}', run: () => null });\n`;
}

async function namesIn(sandbox: Sandbox, ...paths: readonly string[]): Promise<string[]> {
  const flags = paths.flatMap((path) => ['--tasks', path]);
  const { tasks } = await sandbox.json<{ tasks: { name: string }[] }>(['tasks', ...flags]);
  return tasks.map(({ name }) => name).sort();
}

/** Runs `tasks`, expects that it fails with 1 and a line or two, and returns them. */
async function fault(sandbox: Sandbox, path = 'tasks'): Promise<string> {
  const { code, stdout, stderr } = await sandbox.run(['tasks', '--tasks', path]);
  assert.equal(code, 1, stdout);
  assert.equal(stdout, '');
  assert.doesNotMatch(stderr, /^ +at /m);
  return stderr;
}

test('every module below the folder is loaded, but tests, declarations, dot files and packages', async (context) => {
  const sandbox = new Sandbox(context);
  for (const name of ['a.ts', 'b.mts', 'c.js', 'd.mjs', 'deep/er/e.ts'])
    sandbox.write(`tasks/${name}`, taskFile(name));
  for (const name of [
    'f.test.ts',
    'g.d.ts',
    '.h.ts',
    '.git/i.ts',
    'node_modules/j/index.js',
    'k.txt',
    'l.json',
  ])
    sandbox.write(`tasks/${name}`, 'throw new Error("must not be loaded")');
  sandbox.write('package.json', '{ "type": "module" }');
  assert.deepEqual(await namesIn(sandbox, 'tasks'), ['a.ts', 'b.mts', 'c.js', 'd.mjs', 'deep/er/e.ts']);
  assert.deepEqual(await namesIn(sandbox, 'tasks/a.ts', 'tasks/deep', 'tasks/deep'), [
    'a.ts',
    'deep/er/e.ts',
  ]);
});

test('tasks in a default export that is a list or an object are found; one task from two files is one', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/one.ts', `${DEFINE}export default [defineTask({ name: 'one', run: () => 1 })];`);
  sandbox.write('tasks/two.ts', `${DEFINE}export default defineTask({ name: 'two', run: () => 1 });`);
  sandbox.write('tasks/three.ts', `${taskFile('three')}export const notATask = { name: 'x' };`);
  sandbox.write('tasks/index.ts', `export * from './three.ts';\nexport { task as again } from './three.ts';`);
  assert.deepEqual(await namesIn(sandbox, 'tasks'), ['one', 'three', 'two']);
});

test('a syntax error in JavaScript is named with file, line and reason', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/bad.mjs', 'export const a = 1;\nexport const b = ;\n');
  assert.match(
    await fault(sandbox),
    /^error TASKS_UNLOADABLE: tasks\/bad\.mjs:2 cannot be loaded: SyntaxError: Unexpected token ';'\.$/m,
  );
});

test('a syntax error in TypeScript is named with file, line and reason', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/bad.ts', 'export const a: number = 1;\nexport const b: = 2;\n');
  assert.match(
    await fault(sandbox),
    /^error TASKS_UNLOADABLE: tasks\/bad\.ts:2 cannot be loaded: SyntaxError: .+\.$/m,
  );
});

test('TypeScript that needs compiling is named with its reason', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/bad.ts', '\nexport enum Colour { Red }\n');
  assert.match(
    await fault(sandbox),
    /tasks\/bad\.ts:2 cannot be loaded: SyntaxError: .*enum is not supported in strip-only mode/,
  );
});

test('a file that throws, or imports what is not there, is named; all of them at once', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/a.ts', '\n\nthrow new Error("no database");');
  sandbox.write('tasks/b.ts', 'import "./missing.ts";');
  sandbox.write('tasks/c.ts', taskFile('c'));
  const said = await fault(sandbox);
  assert.match(said, /^error TASKS_UNLOADABLE: 2 of 3 task files do not load\.$/m);
  assert.match(said, /^tasks\/a\.ts:3 cannot be loaded: Error: no database$/m);
  assert.match(said, /^tasks\/b\.ts.* cannot be loaded: Error: Cannot find module '.*missing\.ts'/m);
});

test('a wrong definition is named with its file', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write(
    'tasks/a.ts',
    `${DEFINE}export const a = defineTask({ name: 'a', attempts: 0, run: () => 1 });`,
  );
  assert.match(
    await fault(sandbox),
    /tasks\/a\.ts:2 cannot be loaded: .*Task "a": attempts is 0; expected 1 or more/,
  );
});

test('a file that awaits what never happens does not end in silence', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/a.ts', 'await new Promise(() => {});');
  assert.match(await fault(sandbox), /nothing is left to wait for/);
});

test('two tasks of one name are named with their files', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/a.ts', taskFile('same'));
  sandbox.write('tasks/b.ts', taskFile('same'));
  assert.match(
    await fault(sandbox),
    /^error TASK_DUPLICATE: Two different tasks are named "same", in tasks\/a\.ts and in tasks\/b\.ts; give one of them another name\.$/m,
  );
});

test('a folder that is missing, one without tasks, and a file that is no module are named', async (context) => {
  const sandbox = new Sandbox(context);
  assert.match(await fault(sandbox), /TASKS_UNLOADABLE: There is no file or folder "tasks"/);
  sandbox.write('tasks/readme.md', '');
  assert.match(
    await fault(sandbox),
    /TASKS_UNLOADABLE: No task is exported in tasks \(0 modules\)\. Export what defineTask\(\) returns/,
  );
  assert.match(
    await fault(sandbox, 'tasks/readme.md'),
    /tasks\/readme\.md is no module; task files end in \.ts, \.mts, \.js, \.mjs/,
  );
});

test('work without task files says how to give them', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stderr } = await sandbox.run(['work']);
  assert.equal(code, 2);
  assert.match(stderr, /USAGE: No tasks are given\. Use --tasks FOLDER, set LONGSHORE_TASKS=FOLDER/);
});

test('a flow that is exported without its tasks is told, since their jobs would wait for another worker', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write(
    'tasks/flow.ts',
    `import { defineFlow, defineTask } from ${JSON.stringify(LONGSHORE)};
const hidden = defineTask({ name: 'hidden', run: () => 1 });
const undo = defineTask({ name: 'undo', run: () => 1 });
export const shown = defineTask({ name: 'shown', run: () => 1 });
export const flow = defineFlow({ name: 'album', steps: (s) => {
  s.step('a', hidden, { undo });
  return s.step('b', shown);
} });`,
  );
  for (const command of ['tasks', 'work --until-idle --log-format pretty --store sqlite:jobs.db']) {
    const { code, stderr } = await sandbox.run([...command.split(' '), '--tasks', 'tasks']);
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^note: flow "album" of tasks.flow\.ts runs the tasks "hidden" and "undo", not exported/m,
    );
  }
});
