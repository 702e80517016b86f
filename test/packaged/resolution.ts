import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type Packed, packedProject, ROOT, run, toolFile, toolsMissing } from './packed.ts';

/** The package as other compilers, resolvers and judges of packages see it. */
export function resolutionTests(): void {
  describe('what the package says of itself', () => {
    let project: Packed;
    let skip: string | null;

    before(async () => {
      project = await packedProject();
      skip = await toolsMissing();
    });

    test('`require` gives what `import` gives', async () => {
      writeFileSync(join(project.consumer, 'required.cjs'), REQUIRED);
      const { stdout } = await run(process.execPath, ['required.cjs'], project.consumer);
      assert.equal(stdout, 'true\ntrue\n42\n');
    });

    test('its types resolve for every kind of resolution, and are of the kind that its modules are', async (t) => {
      if (skip !== null) return t.skip(skip);
      const judge = toolFile('@arethetypeswrong/cli/dist/index.js');
      await run(process.execPath, [judge, project.tarball, '--no-color', '--no-emoji'], project.folder);
    });

    test('publint finds nothing to say', async (t) => {
      if (skip !== null) return t.skip(skip);
      const judge = toolFile('publint/src/cli.js');
      await run(process.execPath, [judge, project.tarball, '--strict'], project.folder);
    });

    test('TypeScript 5.4 compiles programs against it, with `moduleResolution` node, node16 and bundler', async (t) => {
      if (skip !== null) return t.skip(skip);
      const folder = join(project.consumer, 'use');
      mkdirSync(folder);
      for (const name of ['use.ts', 'use-esm.mts', 'use-cjs.cts']) writeFileSync(join(folder, name), USE);
      const compiler = join(ROOT, 'test', 'packaged', 'compile.mjs');
      const { stdout } = await run(process.execPath, [compiler, folder], ROOT);
      assert.equal(stdout, '5.4 node10: ok\n5.4 node16: ok\n5.4 bundler: ok\n');
    });
  });
}

const REQUIRED = `
const { connect, defineTask, LongshoreError } = require('longshore');
const { FakeClock } = require('longshore/testing');
const double = defineTask({ name: 'double', run: async ({ input }) => input * 2 });
(async () => {
  console.log((await import('longshore')).LongshoreError === LongshoreError);
  console.log((await import('longshore/testing')).FakeClock === FakeClock);
  const longshore = await connect('sqlite:required.db');
  await longshore.worker({ tasks: [double] }).start();
  console.log(await (await longshore.enqueue(double, 21)).result());
  await longshore.close();
})();
`;

const USE = `
import { connect, defineTask, type Longshore, LongshoreError } from 'longshore';
import type { EventName } from 'longshore/events';
import { RETENTION_DEFAULT, type Store } from 'longshore/store';
import { FakeClock } from 'longshore/testing';

const length = defineTask({ name: 'length', run: async ({ input }) => String(input).length });

export async function use(): Promise<number> {
  const longshore: Longshore = await connect('memory:', { clock: new FakeClock() });
  const job = await longshore.enqueue(length, 'text');
  const result: number = await job.result();
  // @ts-expect-error the result is a number
  const wrong: string = await job.result();
  class Own extends LongshoreError {}
  const thrown: unknown = wrong;
  if (thrown instanceof Own || thrown instanceof LongshoreError) return thrown.status;
  // @ts-expect-error a URL is text
  await connect(5);
  return result;
}

export type Names = [EventName, Store['claim'], typeof RETENTION_DEFAULT];
`;
