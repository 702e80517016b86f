/** Acting through the page, in a real browser over a real store. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { type Filled, fill, openSite, type Site, tasks } from './site.ts';

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

async function confirm(page: Page, fields: Readonly<Record<string, string>>, verb: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label).fill(text);
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}

browserTest('a failed job is run again, and its trail and the audit say by whom and why', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${filled.failed}`);
  await page.getByRole('button', { name: 'Run again' }).click();
  await confirm(page, { 'Why (for the audit trail)': 'the card works now' }, 'Run it again');
  await page.getByRole('status').getByText('It is ready to run again.').waitFor();
  await page.getByRole('region', { name: 'Done by hand' }).getByText('the card works now').waitFor();
  assert.equal((await site.longshore.jobs.get(filled.failed))?.state, 'ready');
  await page.getByRole('link', { name: 'Audit' }).click();
  const entry = page.getByRole('row', { name: /redriveJob/ });
  assert.match((await entry.textContent()) ?? '', /local.*the card works now/);
});

browserTest('what another operator did first is told, and nothing is done twice', async (t) => {
  const { id } = await site.longshore.enqueue('charge', { card: 9 }, { delayMs: 60_000 });
  const page = await chromium.page(t, `${site.url}#/jobs/${id}`);
  await page.getByRole('button', { name: 'Run now' }).click();
  await site.longshore.jobs.cancel(id);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Make it ready' }).click();
  await dialog.getByRole('alert').getByText("is cancelled, which does not allow 'reschedule'").waitFor();
  assert.equal((await site.longshore.jobs.get(id))?.state, 'cancelled');
});

browserTest('a queue is paused, resumed and limited', async (t) => {
  const page = await chromium.page(t, `${site.url}#/queues`);
  const row = page.getByRole('row', { name: /^images/ });
  await row.getByRole('button', { name: 'Pause' }).click();
  await confirm(page, {}, 'Pause');
  await row.getByText('paused').waitFor();
  await row.getByRole('button', { name: 'Resume' }).click();
  await confirm(page, {}, 'Resume');
  await row.getByText('open').waitFor();
  await row.getByRole('button', { name: 'Limits…' }).click();
  const fields = { 'Jobs that run at a time': '7', 'Jobs that start': '', '… in so many seconds': '' };
  await confirm(page, fields, 'Set the limits');
  await row.getByText('7 at a time', { exact: true }).waitFor();
});

browserTest('dead letters are counted, may be taken back, and are sent after that', async (t) => {
  const page = await chromium.page(t, `${site.url}#/dead-letters`);
  const row = page.getByRole('row', { name: /marked/ });
  const status = page.getByRole('status');
  await page.clock.install();
  await row.getByRole('button', { name: 'Run again…' }).click();
  await confirm(page, {}, 'Run 1 job again');
  await page.clock.runFor(100);
  await status.getByRole('button', { name: 'Undo' }).click();
  await status.getByText('Not done.').waitFor();
  await page.clock.runFor(10_000);
  assert.equal((await site.longshore.jobs.get(filled.markup))?.state, 'failed');
  await row.getByRole('button', { name: 'Run again…' }).click();
  await confirm(page, {}, 'Run 1 job again');
  await page.clock.runFor(7_000);
  await status.getByText('1 job will run again.').waitFor();
  assert.equal((await site.longshore.jobs.get(filled.markup))?.state, 'ready');
});

browserTest('a run gets its signal, and a blocked step runs again with an edited input', async (t) => {
  const page = await chromium.page(t, `${site.url}#/runs/${filled.run}`);
  await page.getByRole('button', { name: /^sign/ }).click();
  await page.getByRole('button', { name: 'Send the signal…' }).click();
  await confirm(page, { 'Payload, as JSON': '{"by":"ada"}' }, 'Send it');
  await page.getByRole('button', { name: /^pay/ }).click();
  await page.getByRole('button', { name: 'Run again…' }).click();
  await confirm(page, { 'Input, as JSON': '{"card":0}' }, 'Run it again');
  await site.longshore.worker({ tasks, queues: ['default'] }).runUntilIdle();
  await page.getByRole('button', { name: /^sign.*completed/ }).waitFor();
  await page.getByRole('button', { name: /^pay.*completed/ }).waitFor();
  await page.getByRole('button', { name: /^print.*completed/ }).waitFor();
});

browserTest('a schedule is said in words with its next times, and is paused', async (t) => {
  const page = await chromium.page(t, `${site.url}#/schedules`);
  await page.getByText('At 03:30 (Europe/Berlin)').waitFor();
  await page.getByRole('link', { name: 'nightly' }).click();
  const times = page.getByRole('region', { name: 'Next times' }).getByRole('listitem');
  await times.first().waitFor();
  assert.equal(await times.count(), 10);
  await page.getByRole('button', { name: 'Pause' }).click();
  await confirm(page, { Note: 'until the move' }, 'Pause');
  await page.getByText('paused', { exact: true }).waitFor();
  assert.equal((await site.longshore.schedules.get('nightly'))?.paused?.note, 'until the move');
});
