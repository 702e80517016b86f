/** What the compiler underlines and says where a user errs (messages/*.ts): it has to name the thing that is wrong. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const FOLDER = fileURLToPath(new URL('./messages/', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

interface Mark {
  /** File and line. */
  readonly at: string;
  readonly underlined: string;
  readonly message: string;
}

test('the compiler names what is wrong', async (t) => {
  const expected = marks();
  const reported = diagnostics();
  for (const { at, underlined, message } of expected) {
    await t.test(`${at}: ${underlined}`, () => {
      const found = reported.filter((one) => one.at === at);
      assert.deepEqual(
        found.map((one) => one.underlined),
        [underlined],
      );
      assert.ok(found[0]?.message.includes(message), found[0]?.message);
    });
  }
  const places = new Set(expected.map(({ at }) => at));
  assert.deepEqual(
    reported.filter(({ at }) => !places.has(at)),
    [],
  );
});

/** Of the comments `//  ^^^^^ message`, each below the line that it is about. */
function marks(): Mark[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const lines = readFileSync(`${FOLDER}${file}`, 'utf8').split('\n');
      return lines.flatMap((line, index) => {
        const [, before, arrows, message] = /^(\/\/ +)(\^+) (.+)$/.exec(line) ?? [];
        if (before === undefined || arrows === undefined || message === undefined) return [];
        const underlined = lines[index - 1]?.slice(before.length, before.length + arrows.length) ?? '';
        return [{ at: `${file}:${index}`, underlined, message }];
      });
    });
}

function diagnostics(): Mark[] {
  const arguments_ = [TSC, '--noEmit', '--pretty', '--project', '.'];
  const { stdout } = spawnSync(process.execPath, arguments_, { cwd: FOLDER, encoding: 'utf8' });
  const text = stripVTControlCharacters(stdout);
  const pattern = /^(\S+):(\d+):\d+ - error TS\d+: ([\s\S]*?)\n\n(\d+ .*)\n( +)(~+)/gm;
  return Array.from(
    text.matchAll(pattern),
    ([, file, line, message = '', code = '', before = '', tildes = '']) => ({
      at: `${file}:${line}`,
      underlined: code.slice(before.length, before.length + tildes.length),
      message,
    }),
  );
}
