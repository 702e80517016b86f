import { Durations } from '../histogram.ts';
import { CheckFailed } from '../ledger.ts';
import { inFreshPlace } from '../open-site.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { start } from '../runner.ts';
import { round } from '../spread.ts';
import { latencyOf } from './latencies.ts';
import type { Trial } from './trial.ts';

/** Jobs made through the HTTP API (`POST /jobs`) at a rate: from the intended time to the answer, the job durable. */
export const httpCreation: Trial = async (settings, context) => {
  const site = await context.site(settings.store);
  const { rate, seconds } = { rate: settings.number('rate'), seconds: settings.number('seconds', 10) };
  const count = Math.round(rate * seconds);
  const warmup = settings.number('warmup', 200);
  return inFreshPlace(site, async (place) => {
    const options = { timeoutMs: (seconds + 120) * 1_000, signal: context.signal };
    const server = start<Record<string, number>>('http-server', { url: place.url }, options);
    const url = `${(await server.heard('listening')) as string}/api/v1/jobs`;
    const took = new Durations();
    const post = async (n: number): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ task: 'noop', input: { n } }),
      });
      await answer.arrayBuffer();
      if (answer.status !== 201) throw new CheckFailed(`POST /jobs answered ${answer.status}, not 201.`);
    };
    for (let n = 0; n < warmup; n += 1) await post(n);
    const beganAt = monotonicMs();
    await pace({
      rate,
      count,
      clock: systemPacerClock,
      send: (n, intendedMs) => post(n).then(() => took.record(monotonicMs() - intendedMs)),
    });
    const createdPerSecond = round((count / (monotonicMs() - beganAt)) * 1_000);
    server.tell('stop');
    const { ready = 0 } = await server.result;
    const made =
      context.sabotage === 'lost' ? ready - 1 : context.sabotage === 'repeated' ? ready + 1 : ready;
    if (made !== warmup + count)
      throw new CheckFailed(
        `POST /jobs: ${made} jobs are in the store, not ${warmup + count}. No figures are given.`,
      );
    const { figures, histograms } = latencyOf('createdMs', took);
    return { figures: { createdPerSecond, ...figures }, histograms };
  });
};
