/** A fan-out of 100,000 jobs in a real browser: one node with counts, however many items it has. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { defineFlow, defineTask } from '../../src/index.ts';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { openSite, type Site } from './site.ts';

const ITEMS = 100_000;
const LATE = 99_990;

const count = defineTask<number, number>({
  name: 'count',
  attempts: 1,
  run: ({ input }) => {
    if (input >= LATE) throw new Error(`row ${input} is missing`);
    return input;
  },
});
const report = defineTask({ name: 'report', run: () => 'done' });

const census = defineFlow({
  name: 'census',
  steps: (s) => {
    const rows = s.each('rows', count, { over: ITEMS, failure: 'continue' });
    s.step('report', report, { after: [rows] });
  },
});
const tasks = [count, report];

let chromium: Chromium;
let site: Site;
let run: string;

before(async () => {
  if (browserMissing() !== undefined) return;
  [chromium, site] = await Promise.all([openChromium(), openSite('memory', { flows: [census], tasks })]);
  const started = await site.longshore.flows.start(census, {});
  run = started.id;
  await site.longshore.worker({ tasks }).runUntilIdle();
});

after(async () => {
  await chromium?.close();
  await site?.close();
});

browserTest('a fan-out of 100,000 is one node with its counts, drawn at once', async (t) => {
  const page = await chromium.page(t, site.url);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const beganAt = performance.now();
  await page.goto(`${site.url}#/runs/${run}`);
  const steps = page.getByRole('region', { name: 'Steps', exact: true });
  await steps.getByRole('button', { name: /^rows.*99,990 of 100,000, 10 failed/ }).waitFor();
  t.diagnostic(`drawn after ${Math.round(performance.now() - beganAt)} ms`);
  assert.equal(await steps.getByRole('button').count(), 2);
  await steps.getByRole('button', { name: /^rows/ }).click();
  await page.getByText('100,000 items: 99,990 completed, 10 failed, 0 running, 0 wait.').waitFor();
  const elements = await page.locator('*').count();
  assert.ok(elements < ELEMENTS_MAX, `${elements} elements`);
});

browserTest('its times, and a comparison of it with itself, are drawn up to a bound', async (t) => {
  const page = await chromium.page(t, `${site.url}#/traces/${run}`);
  await page.getByText(/^And \d+ jobs more\.$/).waitFor();
  const drawn = await page.locator('*').count();
  assert.ok(drawn < ELEMENTS_MAX, `${drawn} elements`);
  await page.goto(`${site.url}#/compare/runs/${run}/${run}`);
  const table = page.getByRole('table', { name: 'Steps beside each other' });
  await table.getByRole('row', { name: /^rows.*99,990 of 100,000 items, 10 failed/ }).waitFor();
  assert.equal(await table.getByRole('row').count(), 3);
});

/** Of a screen; far fewer than there are items. */
const ELEMENTS_MAX = 5_000;
