/** Reports in a real browser: the screen of the page, and the page that the bench writes. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { reportPage } from '../../bench/src/report/html/page.ts';
import { readResults } from '../../bench/src/report/read-results.ts';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { contrasts, nameless, shape } from './legibility.mjs';
import { openSite, type Site } from './site.ts';

const RECORDED = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const RIVALS = '2026-12-01-rivals.json';

let chromium: Chromium;
let site: Site;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'longshore-reports-'));
  if (browserMissing() !== undefined) return;
  for (const name of readdirSync(RECORDED)) cpSync(join(RECORDED, name), join(folder, name));
  writeFileSync(join(folder, 'slower.json'), slower());
  writeFileSync(join(folder, 'cut.json'), '{"schema":');
  writeFileSync(join(folder, 'newer.json'), '{"schema":"longshore-bench/99"}');
  [chromium, site] = await Promise.all([openChromium(), openSite('memory', { reports: folder })]);
});

after(async () => {
  await chromium?.close();
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A recorded result whose rates are halved, of a later day. */
function slower(): string {
  const text = readFileSync(join(RECORDED, RIVALS), 'utf8');
  const document = JSON.parse(text, (name, value) =>
    name === 'processPerSecond' ? { ...value, values: value.values.map((rate: number) => rate / 2) } : value,
  );
  return JSON.stringify({ ...document, startedAt: '2026-12-02T00:00:00.000Z' });
}

browserTest('results are listed, and one opens with its charts, machine and command', async (t) => {
  const page = await chromium.page(t, `${site.url}#/reports`);
  const list = page.getByRole('table', { name: 'Reports, the newest first' });
  await list.getByRole('row', { name: /cut\.json is no JSON/ }).waitFor();
  await list.getByRole('link', { name: RIVALS }).click();
  await page.getByRole('heading', { name: RIVALS }).waitFor();
  const bars = page.getByRole('table', { name: 'Process, none' });
  assert.match((await bars.getByRole('row', { name: /graphile-worker/ }).textContent()) ?? '', /31,875/);
  await page.getByText('npm run -s bench -- rivals').waitFor();
  await page.getByText(/Xeon\(R\) Processor, 2 cores/).waitFor();
});

browserTest('two results are compared, the older one first', async (t) => {
  const page = await chromium.page(t, `${site.url}#/reports`);
  const compare = page.getByRole('button', { name: 'Compare two' });
  assert.equal(await compare.isDisabled(), true);
  await page.getByLabel('Compare slower.json').check();
  await page.getByLabel(`Compare ${RIVALS}`).check();
  await compare.click();
  const row = page.getByRole('row', { name: /^postgres handler=none system=longshore: processPerSecond/ });
  assert.match((await row.textContent()) ?? '', /56,141.*28,07\d.*0\.500.*worse/);
  assert.equal(await page.getByRole('note').count(), 0);
});

browserTest('a comparison of what is unlike says so, and one of two commands is refused', async (t) => {
  const [postgres, redis] = ['2026-11-22-idle-postgres.json', '2026-11-22-idle-redis.json'];
  const page = await chromium.page(t, `${site.url}#/reports?before=${postgres}&after=${redis}`);
  await page
    .getByRole('note')
    .getByText(/machines differ: server postgres and redis/)
    .waitFor();
  await page.goto(`${site.url}#/reports?before=${RIVALS}&after=${redis}`);
  await page.getByText('compare two results of one command').waitFor();
});

browserTest('what cannot be opened, and a program without reports, are told', async (t) => {
  const page = await chromium.page(t, `${site.url}#/reports/newer.json`);
  await page.getByText('has the schema "longshore-bench/99"').waitFor();
  await page.goto(`${site.url}#/reports/none.json`);
  await page.getByRole('alert').getByText('There is no report "none.json"').waitFor();
  const closed = await openSite('memory');
  t.after(() => closed.close());
  await page.goto(`${closed.url}#/reports`);
  await page.getByText('No folder of reports is set up.').waitFor();
});

for (const colours of ['light', 'dark'] as const)
  browserTest(`reports can be read and named in ${colours}, also on a phone`, async (t) => {
    const page = await chromium.page(t, site.url, { colours, width: 360 });
    const screens = readdirSync(folder)
      .filter((name) => /rivals|idle-redis|work|verbs-sqlite|lanes/.test(name))
      .map((name) => `reports/${name}`);
    for (const screen of ['reports', ...screens, `reports?before=${RIVALS}&after=slower.json`]) {
      await page.goto(`${site.url}#/${screen}`);
      await page.locator(`main[data-screen="${screen.replace(/\?.*/, '')}"]`).waitFor();
      await page.locator('[aria-busy]').first().waitFor({ state: 'detached' });
      assert.deepEqual(await shape(page), { width: 360, titles: 1, mains: 1, faults: 0 }, screen);
      assert.deepEqual(await nameless(page), [], screen);
      assert.deepEqual(await contrasts(page), [], screen);
    }
  });

for (const colours of ['light', 'dark'] as const)
  browserTest(
    `the page that report writes asks for nothing, fits and can be read in ${colours}`,
    async (t) => {
      const file = join(folder, `${colours}.html`);
      writeFileSync(file, reportPage(readResults([RECORDED]), 'All'));
      for (const width of [390, 1280]) {
        const page = await chromium.page(t, 'about:blank', { colours, width });
        const asked: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.goto(pathToFileURL(file).href);
        assert.deepEqual(asked, [pathToFileURL(file).href]);
        assert.deepEqual(await shape(page), { width, titles: 1, mains: 1, faults: 0 });
        assert.deepEqual(await nameless(page), []);
        assert.deepEqual(await contrasts(page), []);
        // One drawing of each chart is shown, the one for this width.
        const shown = width === 390 ? 'narrow' : 'wide';
        assert.equal(await page.locator(`.${shown}`).first().isVisible(), true);
        assert.equal(
          await page
            .locator(shown === 'wide' ? '.narrow' : '.wide')
            .first()
            .isVisible(),
          false,
        );
      }
    },
  );
