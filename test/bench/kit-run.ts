import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Value } from 'typebox/value';
import { type Cell, KitDocument } from '../../bench/src/kit/document.ts';
import { bench, temporaryFolder } from './bench-process.ts';

/** Small runs of the kit as a user gives them. What is asserted is what was done and said, never how fast. */
export const BURN = { store: 'sqlite', jobs: 200, warmup: 40, batch: 50, concurrency: 20 };

export interface Ran {
  readonly code: number;
  readonly document: KitDocument;
  readonly stderr: string;
  readonly path: string;
}

/** Runs a workload of these groups. The result must be as the schema says. */
export async function run(t: TestContext, groups: readonly object[], ...args: string[]): Promise<Ran> {
  const folder = temporaryFolder(t);
  const file = join(folder, 'workload.json');
  const path = join(folder, 'result.json');
  writeFileSync(file, JSON.stringify({ name: 'test', description: 'a test', rounds: 1, groups }));
  const { code, stderr } = await bench('run', file, '--output', path, ...args);
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(Value.Check(KitDocument, document), JSON.stringify([...Value.Errors(KitDocument, document)]));
  return { code, document, stderr, path };
}

export function onlyCell({ document }: Ran): Cell {
  assert.equal(document.cells.length, 1);
  return document.cells[0] as Cell;
}
