/** The page in a real browser, over a real store. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { type Filled, fill, MARKUP, openSite, type Site } from './site.ts';

let chromium: Chromium;
let site: Site;
let filled: Filled;

before(async () => {
  if (browserMissing() !== undefined) return;
  [chromium, site] = await Promise.all([openChromium(), openSite('sqlite')]);
  filled = await fill(site);
});

after(async () => {
  await chromium?.close();
  await site?.close();
});

browserTest('the overview shows queues with their jobs, and failures by error', async (t) => {
  const page = await chromium.page(t, site.url);
  const queues = page.getByRole('table', { name: 'Queues' });
  await queues.getByRole('row', { name: /images/ }).waitFor();
  assert.match((await queues.getByRole('row', { name: /mail/ }).textContent()) ?? '', /paused/);
  await page.getByRole('table', { name: 'Failures by error' }).getByText('was declined').first().waitFor();
});

browserTest('a search in jobs stands in the address, and leads to a job with its error', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs`);
  await page.getByLabel('Task', { exact: true }).fill('charge');
  await page.getByLabel('failed').check();
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/#\/jobs\?task=charge&state=failed/);
  await page.getByRole('link', { name: filled.failed }).click();
  await page.getByRole('heading', { name: 'Job of charge' }).waitFor();
  await page.getByText('UnrecoverableError: card 1 was declined').first().waitFor();
});

browserTest('markup in names, errors and payloads is shown as text', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${filled.markup}`);
  await page.getByText(`UnrecoverableError: ${MARKUP}`).first().waitFor();
  assert.equal(await page.locator('img, main b:text-is("bold")').count(), 0);
});

browserTest('a job that waits says why', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${filled.waiting}`);
  await page
    .getByRole('region', { name: 'Why does it not run?' })
    .getByText(/paused/)
    .waitFor();
});
