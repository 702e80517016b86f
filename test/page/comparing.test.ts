/** Two runs, two jobs and two attempts beside each other, in a real browser over a real store. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { defineFlow, defineTask } from '../../src/index.ts';
import { browserMissing, browserTest, type Chromium, openChromium } from './browser.ts';
import { contrasts, nameless, shape } from './legibility.mjs';
import { openSite, type Site } from './site.ts';

const price = defineTask<{ items: number }, { total: number; currency: string }>({
  name: 'price',
  run: ({ input: { items } }) => ({ total: items * 10, currency: 'EUR' }),
});
const pay = defineTask<{ card: number }, string>({
  name: 'pay',
  attempts: 2,
  backoff: 0,
  run: ({ input: { card }, attempt, log }) => {
    log('asking the bank');
    if (card === 0) return 'paid';
    log(`refused, time ${attempt}`);
    throw new RangeError(`card ${card} was declined at attempt ${attempt}`);
  },
});
const ship = defineTask({ name: 'ship', run: () => 'shipped' });
const tasks = [price, pay, ship];

const order = defineFlow({
  name: 'order',
  input: z.object({ items: z.number(), card: z.number() }),
  steps: (s) => {
    const priced = s.step('price', price, { input: ({ run }) => ({ items: run.items }) });
    const paid = s.step('pay', pay, { input: ({ run }) => ({ card: run.card }), after: [priced] });
    s.each('label', ship, { over: 3, after: [priced] });
    return s.step('ship', ship, { after: [paid] });
  },
});

interface Ids {
  readonly good: string;
  readonly bad: string;
  readonly goodJob: string;
  readonly badJob: string;
}

let chromium: Chromium;
let site: Site;
let ids: Ids;

before(async () => {
  if (browserMissing() !== undefined) return;
  [chromium, site] = await Promise.all([openChromium(), openSite('sqlite', { flows: [order], tasks })]);
  const { longshore } = site;
  const good = await longshore.flows.start(order, { items: 2, card: 0 });
  const bad = await longshore.flows.start(order, { items: 3, card: 4 });
  const [goodJob, badJob] = [
    await longshore.enqueue(pay, { card: 0 }),
    await longshore.enqueue(pay, { card: 4 }, { meta: { correlationId: 'order-8' } }),
  ];
  await longshore.worker({ tasks }).runUntilIdle();
  ids = { good: good.id, bad: bad.id, goodJob: goodJob.id, badJob: badJob.id };
});

after(async () => {
  await chromium?.close();
  await site?.close();
});

function row(page: Page, table: string, name: RegExp) {
  return page.getByRole('table', { name: table, exact: true }).getByRole('row', { name });
}

async function textOf(page: Page, table: string, name: RegExp): Promise<string> {
  const found = row(page, table, name);
  await found.waitFor();
  return (await found.textContent()) ?? '';
}

browserTest(
  'two runs are chosen from one of them, and are beside each other with what differs',
  async (t) => {
    const page = await chromium.page(t, `${site.url}#/runs/${ids.bad}`);
    await page.getByRole('link', { name: 'Compare…' }).click();
    await page
      .getByRole('table', { name: 'Others, the newest first' })
      .getByRole('link', { name: ids.good })
      .click();
    await page.waitForURL(new RegExp(`#/compare/runs/${ids.bad}/${ids.good}$`));
    assert.match(await textOf(page, 'The runs', /^State/), /failed.*completed.*differs/);
    assert.match(
      await textOf(page, 'Steps beside each other', /^pay/),
      /failed.*completed.*state.*result.*error/,
    );
    assert.match(await textOf(page, 'Steps beside each other', /^label/), /3 of 3 items.*3 of 3 items–$/);
    assert.match(await textOf(page, 'Steps beside each other', /^ship/), /completed.*state/);
    const input = page.getByRole('table', { name: 'Input: what differs' });
    assert.match((await input.getByRole('row', { name: /^card/ }).textContent()) ?? '', /card40/);
    assert.match((await input.getByRole('row', { name: /^items/ }).textContent()) ?? '', /items32/);
    const priced = page.getByRole('region', { name: 'Step price' });
    assert.match((await priced.getByRole('row', { name: /total/ }).textContent()) ?? '', /result\.total3020/);
    await priced.getByText('1 value the same.').waitFor();
    await page.getByRole('link', { name: 'Change sides' }).click();
    await page.waitForURL(new RegExp(`#/compare/runs/${ids.good}/${ids.bad}$`));
    assert.match(await textOf(page, 'The runs', /^State/), /completed.*failed/);
  },
);

browserTest('a run beside itself differs in nothing', async (t) => {
  const page = await chromium.page(t, `${site.url}#/compare/runs/${ids.good}/${ids.good}`);
  await page.getByRole('table', { name: 'Steps beside each other' }).waitFor();
  assert.equal(await page.locator('.mark, .differs').count(), 0);
  assert.equal(await page.getByText('The same in both.').count(), 2);
});

browserTest('two jobs are beside each other, by the id of the other', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${ids.goodJob}`);
  await page.getByRole('link', { name: 'Compare…' }).click();
  await page.getByLabel('Id of the other').fill(ids.badJob);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.waitForURL(new RegExp(`#/compare/jobs/${ids.goodJob}/${ids.badJob}$`));
  assert.match(await textOf(page, 'The jobs', /^State/), /completed.*failed.*differs/);
  assert.match(await textOf(page, 'The jobs', /^Task/), /paypay–$/);
  assert.match(
    await textOf(page, 'Their last attempts', /^Error/),
    /RangeError: card 4 was declined at attempt 2.*differs/,
  );
  const [first, second] = ['first', 'second'].map((side) =>
    page.getByRole('region', { name: `Log of the ${side}` }),
  );
  assert.doesNotMatch((await first?.textContent()) ?? '', /only here/);
  assert.match((await second?.textContent()) ?? '', /asking the bank.*refused, time 2 only here/);
});

browserTest('two attempts of a job are beside each other, and others are chosen', async (t) => {
  const page = await chromium.page(t, `${site.url}#/jobs/${ids.badJob}`);
  await page.getByRole('link', { name: 'Compare two attempts' }).click();
  assert.match(await textOf(page, 'How they ended', /^Error/), /at attempt 1.*at attempt 2.*differs/);
  assert.match(await textOf(page, 'How they ended', /^Ended as/), /failedfailed–$/);
  assert.match(await page.getByRole('region', { name: 'Log of the first' }).innerText(), /refused, time 1/);
  await page.getByRole('combobox', { name: 'First' }).selectOption('2');
  await page.waitForURL(new RegExp(`#/compare/attempts/${ids.badJob}/2/2$`));
  await row(page, 'How they ended', /^Error/)
    .getByText('at attempt 2')
    .first()
    .waitFor();
  assert.equal(await page.locator('.mark').count(), 0);
});

browserTest('an id that is none, and an attempt that is not kept, are told', async (t) => {
  const page = await chromium.page(t, `${site.url}#/compare/runs/${ids.good}/none`);
  await page.getByRole('alert').getByText(/none/).waitFor();
  await page.goto(`${site.url}#/compare/attempts/${ids.badJob}/1/9`);
  await page.getByText('This job has no such attempt: 2 are kept.').waitFor();
  await page.goto(`${site.url}#/compare/attempts/${ids.goodJob}/1`);
  await page.getByText('Fewer than two attempts of this job are kept.').waitFor();
  await page.goto(`${site.url}#/compare/queues`);
  await page.getByText('Open a run or a job, and choose Compare there.').waitFor();
});

for (const colours of ['light', 'dark'] as const)
  browserTest(`comparisons can be read and named in ${colours}, also on a phone`, async (t) => {
    const page = await chromium.page(t, site.url, { colours, width: 360 });
    for (const screen of [
      `compare/runs/${ids.bad}`,
      `compare/runs/${ids.bad}/${ids.good}`,
      `compare/jobs/${ids.goodJob}`,
      `compare/jobs/${ids.goodJob}/${ids.badJob}`,
      `compare/attempts/${ids.badJob}/1/2`,
    ]) {
      await page.goto(`${site.url}#/${screen}`);
      await page.locator(`main[data-screen="${screen}"]`).waitFor();
      await page.locator('[aria-busy]').first().waitFor({ state: 'detached' });
      assert.deepEqual(await shape(page), { width: 360, titles: 1, mains: 1, faults: 0 }, screen);
      assert.deepEqual(await nameless(page), [], screen);
      assert.deepEqual(await contrasts(page), [], screen);
    }
  });
