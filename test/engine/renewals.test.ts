import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpAnswer, HttpCall } from '../../src/engine/http-request.ts';
import { Renewals, type Report } from '../../src/engine/renewals.ts';
import { FakeClock } from '../../src/testing/index.ts';

const WELL: HttpAnswer = { status: 204, retryAfterMs: null, text: '' };

/** Renewals on a clock that the test moves, with an engine that answers as `answer` says, at once unless it is held. */
function renewals(requestsMax = 2) {
  const clock = new FakeClock();
  const stage = {
    answer: (): HttpAnswer | Error => WELL,
    held: false,
    sent: [] as { readonly url: string; readonly at: number; readonly token: string | undefined }[],
    waiting: [] as (() => void)[],
    underWay: 0,
    most: 0,
    reports: [] as Report[],
  };
  const start = clock.now();
  const send = async ({ url, headers }: HttpCall): Promise<HttpAnswer> => {
    stage.sent.push({ url, at: clock.now() - start, token: headers.authorization });
    stage.underWay += 1;
    stage.most = Math.max(stage.most, stage.underWay);
    if (stage.held) await new Promise<void>((resolve) => stage.waiting.push(resolve));
    stage.underWay -= 1;
    const answer = stage.answer();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const report = (one: Report): void => void stage.reports.push(one);
  const made = new Renewals({ send, clock, random: () => 0.5, requestsMax, lostStatuses: [404], report });
  const hold = (lock: number, intervalMs = 1_000): void => {
    const call = { method: 'POST', url: `lock-${lock}`, headers: { authorization: 'old' }, body: null };
    made.hold(lock, { call, intervalMs, firstMs: intervalMs });
  };
  const times = (lock = 1): number[] =>
    stage.sent.filter(({ url }) => url === `lock-${lock}`).map(({ at }) => at);
  return { clock, made, hold, times, stage };
}

test('a lock is renewed once each interval until it is let go', async () => {
  const { clock, made, hold, times } = renewals();
  hold(1);
  hold(2, 400);
  await clock.advance(3_100);
  assert.deepEqual(times(1), [1_000, 2_000, 3_000]);
  assert.deepEqual(times(2), [400, 800, 1_200, 1_600, 2_000, 2_400, 2_800]);
  made.release(1);
  await clock.advance(2_000);
  assert.deepEqual([times(1).length, times(2).at(-1)], [3, 4_800]);
  made.close();
  assert.equal(clock.pending, 0);
});

test('no more than so many requests are under way, and one for each lock', async () => {
  const { clock, hold, stage, times } = renewals(2);
  for (const lock of [1, 2, 3, 4, 5]) hold(lock);
  stage.held = true;
  await clock.advance(5_000);
  assert.deepEqual([stage.sent.length, stage.most], [2, 2]);
  stage.held = false;
  for (const go of stage.waiting) go();
  await clock.advance(0);
  // What took five intervals is due again at once, once.
  assert.equal(stage.sent.length, 7);
  assert.deepEqual(times(1), [1_000, 5_000]);
  assert.equal(stage.most, 2);
});

test('a server that is busy is asked again when it says, by one request, and for no lock sooner than its interval', async () => {
  const { clock, hold, stage, times } = renewals(8);
  for (const lock of [1, 2, 3]) hold(lock);
  stage.answer = () => ({ status: 429, retryAfterMs: 700, text: 'busy' });
  await clock.advance(1_000);
  stage.answer = () => ({ status: 503, retryAfterMs: null, text: '' });
  await clock.advance(1_200);
  const failed = stage.reports.map((report) => report.type === 'failed' && [report.status, report.retryMs]);
  assert.deepEqual(failed, [
    [429, 700],
    [503, 200],
    [503, 400],
  ]);
  assert.deepEqual([times(1), times(2), times(3)], [[1_000], [1_700], [1_900]]);
  stage.answer = () => WELL;
  await clock.advance(700);
  assert.deepEqual(
    [times(1), times(2), times(3)],
    [
      [1_000, 2_300],
      [1_700, 2_700],
      [1_900, 2_900],
    ],
  );
  assert.deepEqual(stage.reports.slice(3), [{ type: 'well' }]);
});

test('a request that was not answered is tried again before its interval is over, ever later', async () => {
  const { clock, hold, stage, times } = renewals();
  hold(1, 4_000);
  stage.answer = () => new Error('connect ECONNREFUSED');
  await clock.advance(4_000 + 100 + 200 + 400);
  assert.deepEqual(times(), [4_000, 4_100, 4_300, 4_700]);
  stage.answer = () => WELL;
  await clock.advance(800);
  assert.equal(times().at(-1), 5_500);
  assert.equal(stage.reports.at(-1)?.type, 'well');
  await clock.advance(4_000);
  assert.equal(times().at(-1), 9_500);
});

test('a pause is no longer than the shortest interval, whosever renewal failed', async () => {
  const { clock, hold, stage, times } = renewals();
  hold(1, 10_000);
  hold(2, 20_000);
  stage.answer = () => ({ status: 503, retryAfterMs: 9_000, text: '' });
  await clock.advance(9_999);
  hold(3, 1_500);
  await clock.advance(1);
  // The first one failed, and asked for nine seconds.
  stage.answer = () => WELL;
  await clock.advance(1_500);
  assert.deepEqual([times(1), times(3)], [[10_000], [11_500]]);

  stage.answer = () => ({ status: 503, retryAfterMs: 9_000, text: '' });
  await clock.advance(1_500);
  assert.equal(times(3).at(-1), 13_000);
  hold(4, 400);
  stage.answer = () => WELL;
  await clock.advance(400);
  assert.deepEqual(times(4), [13_400], 'a lock that comes during the pause ends it sooner');
});

test('a lock that is lost is told once and renewed no more; the others are', async () => {
  const { clock, hold, stage, times, made } = renewals();
  hold(1);
  hold(2);
  stage.answer = () => ({ status: stage.sent.length === 1 ? 404 : 204, retryAfterMs: null, text: 'gone' });
  await clock.advance(3_000);
  assert.deepEqual(stage.reports, [{ type: 'lost', lock: 1, status: 404, text: 'gone' }]);
  assert.deepEqual([times(1).length, times(2).length], [1, 3]);
  stage.answer = () => ({ status: 404, retryAfterMs: null, text: 'gone' });
  stage.held = true;
  await clock.advance(1_000);
  made.release(2);
  for (const go of stage.waiting) go();
  await clock.advance(1_000);
  assert.equal(stage.reports.length, 1, 'a lock that was let go of is nobody’s loss');
});

test('new headers are those of the next request', async () => {
  const { clock, hold, made, stage } = renewals();
  hold(1);
  await clock.advance(1_000);
  made.setHeaders({ authorization: 'new' });
  await clock.advance(1_000);
  assert.deepEqual(
    stage.sent.map(({ token }) => token),
    ['old', 'new'],
  );
});
