import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { chooseNode, installedNode, isNewEnough, NODE_MINIMUM } from '../../setup/node-choice.mjs';

test('versions are compared as numbers, part by part', () => {
  for (const version of ['v22.18.0', '22.18.1', 'v22.100.0', 'v23.0.0', 'v24.9.0', 'v100.0.0']) {
    assert.equal(isNewEnough(version, '22.18.0'), true, version);
  }
  for (const version of ['v22.17.9', 'v22.9.0', 'v20.19.5', 'v9.99.99', '22.17.99']) {
    assert.equal(isNewEnough(version, '22.18.0'), false, version);
  }
});

test('a pre-release of the minimum is too old, one of a later release is not', () => {
  assert.equal(isNewEnough('v22.18.0-nightly20250701', '22.18.0'), false);
  assert.equal(isNewEnough('v25.0.0-nightly20250701', '22.18.0'), true);
});

test('what is no version is an error that shows it', () => {
  assert.throws(() => isNewEnough('bun'), /not a Node version: "bun"/);
});

test('the minimum is the one that package.json promises', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(engines.node, `>=${NODE_MINIMUM.replace(/\.0$/, '')}`);
});

test('a new enough Node is used as it is, an older one is replaced by the installed one', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'longshore-node-'));
  t.after(() => rmSync(root, { recursive: true }));

  assert.equal(chooseNode(root, NODE_MINIMUM), process.execPath);
  assert.equal(chooseNode(root, 'v20.20.2'), undefined);

  mkdirSync(dirname(installedNode(root)), { recursive: true });
  writeFileSync(installedNode(root), '');
  assert.equal(chooseNode(root, 'v20.20.2'), installedNode(root));
  assert.equal(chooseNode(root, NODE_MINIMUM), process.execPath);
});
