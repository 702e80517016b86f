/** Doors out: where a store reports the end of a job, docs/store-contract.md says so. A new one shows up here. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Calls of the function of each store that reports, not its definition. */
const CALLS: Readonly<Record<string, RegExp>> = {
  memory: /\breport\(rows, /,
  sqlite: /(?<!function )\breport(End|Run|Completed)\(/,
  postgres: /(?<!FUNCTION )\{\{schema\}\}\.report_ends\(/,
  redis: /(?<!function )\b(reportEnd\(|addReports\(plan)/,
};

for (const [store, calls] of Object.entries(CALLS))
  test(`every door out of the ${store} store is written down`, () => {
    const doc = readFileSync(`${ROOT}docs/store-contract.md`, 'utf8');
    const [, section = ''] = /^## Doors out$([\s\S]*?)^## /m.exec(doc) ?? [];
    const folder = `src/store/${store}`;
    const files = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|sql|lua)$/.test(name))
      .map((name) => `${folder}/${name}`)
      .filter((path) =>
        readFileSync(`${ROOT}${path}`, 'utf8')
          .split('\n')
          .some((line) => calls.test(line) && !line.includes('CREATE FUNCTION')),
      );
    const named = [...section.matchAll(/\]\(\.\.\/(src\/store\/[^)]+)\)/g)].map(([, path]) => path);
    assert.ok(files.length > 0);
    assert.deepEqual(
      [...new Set(files)].sort(),
      [...new Set(named)].filter((path) => path?.startsWith(`${folder}/`)).sort(),
    );
  });
