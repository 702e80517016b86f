/** What the page shows, in a real browser over a real store: live, by keys, in the dark, on a phone, and when nothing is there. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { contrasts, ground, nameless, shape } from './legibility.mjs';
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

/** Every screen, once it has its data. */
function screens({ completed, failed, waiting, run }: Filled): readonly string[] {
  const lists = 'overview jobs runs schedules queues workers dead-letters audit reports'.split(' ');
  const single = [
    `jobs/${completed}`,
    `jobs/${failed}`,
    `jobs/${waiting}`,
    `runs/${run}`,
    'schedules/nightly',
    `traces/${run}`,
    `traces/${completed}`,
    `traces/order-7`,
    `compare/runs/${run}/${run}`,
    `compare/jobs/${completed}/${failed}`,
  ];
  return [...lists, ...single];
}

async function open(page: Page, address: string, screen: string): Promise<void> {
  await page.goto(address);
  await page.locator(`main[data-screen="${screen}"]`).waitFor();
  await page.locator('[aria-busy]').first().waitFor({ state: 'detached' });
}

browserTest('what happens in the store is seen without a reload', async (t) => {
  const page = await chromium.page(t, site.url);
  const row = page.getByRole('table', { name: 'Queues' }).getByRole('row', { name: /^fresh/ });
  assert.equal(await row.count(), 0);
  await site.longshore.enqueue('page', 1, { queue: 'fresh' });
  await row.waitFor();
  const worker = site.longshore.worker({ tasks, queues: ['fresh'] });
  await worker.start();
  await page.getByRole('link', { name: 'Workers' }).first().click();
  await page.getByRole('table', { name: 'Workers' }).getByText('alive').waitFor();
  const slots = page.getByRole('region', { name: 'Slots over the last hour' });
  await slots
    .getByRole('img', { name: /slots \d+, used 0$/ })
    .first()
    .waitFor();
  await worker.stop();
});

browserTest('a job shows its log, progress, input, result and those it is correlated with', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${filled.completed}`);
  await page.getByLabel('Log lines').getByText('reading').waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Progress' }).getAttribute('value'), '0.75');
  assert.match((await page.getByRole('group', { name: 'Input' }).textContent()) ?? '', /file: "a\.png"/);
  assert.match((await page.getByRole('group', { name: 'Result' }).textContent()) ?? '', /width: 640/);
  await page.getByRole('region', { name: 'Correlated jobs' }).getByRole('link', { name: 'charge' }).click();
  await page.getByRole('heading', { name: 'Job of charge' }).waitFor();
});

browserTest('a fan-out is one node of the graph, with its counts', async (t) => {
  const page = await chromium.page(t, `${site.url}#/runs/${filled.run}`);
  await page.getByRole('button', { name: /^pages.*299 of 300, 1 failed/ }).click();
  const step = page.getByRole('region', { name: 'Step pages' });
  await step.getByText('300 items: 299 completed, 1 failed, 0 running, 0 wait.').waitFor();
  assert.equal(await page.getByRole('region', { name: 'Steps', exact: true }).getByRole('button').count(), 5);
});

browserTest('an address that changes while the page is first drawn leads there', async (t) => {
  const page = await chromium.page(t, 'about:blank');
  await page.addInitScript({
    content: "document.addEventListener('DOMContentLoaded', () => { location.hash = '#/queues'; });",
  });
  await page.goto(site.url);
  await page.locator('main[data-screen="queues"]').waitFor();
});

browserTest('a run shows where its time went, the fan-out up to a bound', async (t) => {
  const page = await chromium.page(t, `${site.url}#/runs/${filled.run}`);
  await page.getByRole('link', { name: 'Where the time went' }).click();
  await page.getByRole('heading', { name: `Where the time went: ${filled.run}` }).waitFor();
  await page.getByText(/^And \d+ jobs more\.$/).waitFor();
  const sum = page.getByRole('table', { name: 'How the time adds up' });
  await sum.getByRole('row', { name: /^busy claim, handler and settlement/ }).waitFor();
});

browserTest('a trace is read anew while it goes on, and once when all of it has ended', async (t) => {
  const readings = async (id: string) => {
    const page = await chromium.page(t, 'about:blank');
    const heard = { count: 0 };
    const third = Promise.withResolvers<void>();
    page.on('request', (request) => {
      if (!request.url().includes('/traces/')) return;
      heard.count += 1;
      if (heard.count === 3) third.resolve();
    });
    await page.goto(`${site.url}#/traces/${id}`);
    await page.getByRole('table', { name: 'How the time adds up' }).waitFor();
    return { heard, third: third.promise };
  };
  const ended = await readings('order-7');
  const open = await readings(filled.waiting);
  await open.third;
  assert.equal(ended.heard.count, 1);
});

browserTest('keys lead to screens, to the search and to a list of keys', async (t) => {
  const page = await chromium.page(t, site.url);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.getByRole('heading', { name: 'Queues' }).waitFor();
  await page.keyboard.press('/');
  await page.locator('input[type=search]:focus').waitFor();
  await page.keyboard.type('g j ?');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'g j ?');
  await page.getByRole('heading', { name: 'Jobs' }).click();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
});

for (const colours of ['light', 'dark'] as const)
  browserTest(`every screen can be read and named in ${colours}, also on a phone`, async (t) => {
    const page = await chromium.page(t, site.url, { colours, width: 360 });
    for (const screen of screens(filled)) {
      await open(page, `${site.url}#/${screen}`, screen);
      assert.deepEqual(await shape(page), { width: 360, titles: 1, mains: 1, faults: 0 }, screen);
      assert.deepEqual(await nameless(page), [], screen);
      assert.deepEqual(await contrasts(page), [], screen);
    }
  });

browserTest('the switch of colours holds after a reload', async (t) => {
  const page = await chromium.page(t, site.url, { colours: 'light' });
  const light = await ground(page);
  await page.getByLabel('Colours').selectOption('dark');
  await page.locator('html[data-theme="dark"]').waitFor();
  const dark = await ground(page);
  assert.notEqual(dark, light);
  await page.reload();
  await page.locator('html[data-theme="dark"]').waitFor();
  assert.equal(await ground(page), dark);
});

browserTest('an unknown job and an unknown screen are told', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/none`);
  await page.getByRole('alert').getByText('There is no job "none"').waitFor();
  await page.goto(`${site.url}#/nowhere`);
  await page.getByText('This address names no screen.').waitFor();
});

browserTest('every screen of an empty store says that it is empty, below a base path', async (t) => {
  const empty = await openSite('memory', { basePath: '/ops/jobs' });
  t.after(() => empty.close());
  const page = await chromium.page(t, empty.url);
  await page.getByText('No queue has jobs yet.').waitFor();
  for (const screen of [
    'jobs',
    'runs',
    'schedules',
    'queues',
    'workers',
    'dead-letters',
    'audit',
    'reports',
  ]) {
    await page.goto(`${empty.url}#/${screen}`);
    await page.locator(`main[data-screen="${screen}"] .empty:not([aria-busy])`).first().waitFor();
    assert.equal(await page.getByRole('table').count(), 0, screen);
  }
});

browserTest('a server that went away is told, and the page goes on when it is back', async (t) => {
  const page = await chromium.page(t, `${site.url}#/queues`);
  await page.getByRole('table', { name: 'Queues' }).waitFor();
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Audit' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText('The server does not answer.').waitFor();
  await page.context().setOffline(false);
  await alert.getByRole('button', { name: 'Try again' }).click();
  await alert.waitFor({ state: 'hidden' });
});

browserTest('a token is asked for, and a role that may only look is offered no action', async (t) => {
  const token = 'a-token-for-looking';
  const locked = await openSite('memory', { tokens: [{ token, role: 'look', name: 'wall' }] });
  t.after(() => locked.close());
  await locked.longshore.enqueue('page', 1);
  const page = await chromium.page(t, `${locked.url}#/queues`);
  await page.getByLabel('Token').fill('wrong-token-0123456789');
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByText('The token is none of this server').waitFor();
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByRole('table', { name: 'Queues' }).getByText('default').waitFor();
  await page.getByText('wall').waitFor();
  assert.equal(await page.getByRole('main').getByRole('button').count(), 0);
  await page.reload();
  await page.getByRole('table', { name: 'Queues' }).waitFor();
});

/** Nothing was filled in that they show. */
const SILENT: readonly string[] = ['audit', 'workers', 'reports'];

browserTest('every screen has its data on PostgreSQL', async (t) => {
  const { missingFor } = await import('../fresh-store.ts');
  const missing = await missingFor('postgres');
  if (missing !== undefined) return t.skip(missing);
  const postgres = await openSite('postgres');
  t.after(() => postgres.close());
  const stored = await fill(postgres);
  const { waiting, run } = stored;
  const page = await chromium.page(t, postgres.url);
  for (const screen of screens(stored)) {
    await open(page, `${postgres.url}#/${screen}`, screen);
    assert.deepEqual(await shape(page), { width: 1280, titles: 1, mains: 1, faults: 0 }, screen);
    const data = page.locator('main :is(table, .panel, .facts)').first();
    if (!SILENT.includes(screen)) await data.waitFor();
  }
  await page.goto(`${postgres.url}#/jobs/${waiting}`);
  await page
    .getByRole('region', { name: 'Why does it not run?' })
    .getByText(/paused/)
    .waitFor();
  await page.goto(`${postgres.url}#/runs/${run}`);
  await page.getByRole('button', { name: /^pay.*blocked/ }).waitFor();
});
