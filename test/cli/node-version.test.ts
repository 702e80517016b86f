import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { faultOfNode } from '../../src/cli/node-version.ts';

test('a Node that is too old is told so, with what to do', () => {
  for (const version of ['20.20.2', '22.17.1', '18.0.0'])
    assert.match(
      faultOfNode(version) ?? '',
      new RegExp(`needs Node 22\\.18 or newer; this is Node ${version}\\. .*npm install node@24`),
    );
  for (const version of ['22.18.0', '23.0.0', '24.21.0']) assert.equal(faultOfNode(version), null);
});

test('what is asked for is what the package asks for', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
  assert.equal(faultOfNode(`${major}.${minor}.0`), null);
  assert.notEqual(faultOfNode(`${major}.${minor - 1}.9`), null);
});
