import { Durations } from '../histogram.ts';
import { round } from '../spread.ts';
import { latencyFigures } from './latencies.ts';
import { countOf } from './open-loop.ts';
import { holdSnapshot } from './pinned.ts';
import { bytesOf } from './queued.ts';
import type { Staff } from './staff.ts';
import { inTeam } from './staff.ts';
import type { Trial, TrialSettings } from './trial.ts';

/**
 * A steady rate for long: how latency, memory and the server's tables change over time. With `pinned`, a session on PostgreSQL
 * holds a snapshot meanwhile, as a forgotten report does, so that no dead row can be removed.
 */
export const soak: Trial = (settings, context) => {
  const count = countOf(settings);
  return inTeam(
    settings,
    context,
    async (staff) => {
      const { team, place, name } = staff;
      await team.warmUp(settings.number('warmup', 1_000), 500);
      const { server } = place;
      const letGo =
        settings.number('pinned', 0) === 1 && server?.kind === 'postgres'
          ? await holdSnapshot(server.url)
          : null;
      const series = new Series(staff, settings.number('every', 5));
      try {
        await team.callWorkers('work');
        const sampling = series.start();
        // It may fail while the jobs are sent, which then fails, too.
        sampling.catch(() => undefined);
        const sent = await team.call(team.sender, 'pace', { rate: settings.number('rate'), count, from: 0 });
        await team.allRan(count);
        series.end();
        await sampling;
        await team.call(team.sender, 'settled');
        const worked = await team.report(name, count, context.sabotage);
        const pickup = latencyFigures(
          'enqueueToStartMs',
          worked.map((one) => one.pickup),
        );
        const late = latencyFigures('instrumentLateMs', [sent.late]);
        return {
          figures: { ...pickup.figures, ...late.figures, ...series.figures(count, settings) },
          histograms: { ...pickup.histograms, ...late.histograms },
          series: series.values,
        };
      } finally {
        series.end();
        await letGo?.();
      }
    },
    { jobs: count },
  );
};

class Series {
  readonly #staff: Staff;
  readonly #everyMs: number;
  readonly #began = performance.now();
  readonly values: Record<'seconds' | 'p50Ms' | 'p99Ms' | 'rssMb' | 'storeBytes', number[]> = {
    seconds: [],
    p50Ms: [],
    p99Ms: [],
    rssMb: [],
    storeBytes: [],
  };
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(staff: Staff, everySeconds: number) {
    this.#staff = staff;
    this.#everyMs = 1_000 * everySeconds;
  }

  async start(): Promise<void> {
    await this.#staff.team.callWorkers('lap');
    while (!this.#ended) {
      await this.#pause();
      await this.#sample();
    }
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Growth by job, and the second half beside the first: a system that wears down shows in it. */
  figures(jobs: number, settings: TrialSettings): Record<string, number> {
    const { storeBytes, p99Ms, rssMb } = this.values;
    const growth = (storeBytes.at(-1) ?? 0) - (storeBytes[0] ?? 0);
    const half = p99Ms.length >> 1;
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    return {
      ...(settings.store === 'memory' ? {} : { growthBytesPerJob: round(growth / jobs) }),
      rssGrowthMb: round((rssMb.at(-1) ?? 0) - (rssMb[0] ?? 0)),
      ...(half === 0
        ? {}
        : { laterToEarlierP99: round(mean(p99Ms.slice(half)) / mean(p99Ms.slice(0, half))) }),
    };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#everyMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #sample(): Promise<void> {
    const { team, place } = this.#staff;
    const pickup = new Durations();
    for (const lap of await team.callWorkers('lap')) pickup.add(lap);
    const { samples, p50, p99 } = pickup.summary();
    if (samples === 0) return;
    const uses = await team.callWorkers('use');
    this.values.seconds.push(round((performance.now() - this.#began) / 1_000));
    this.values.p50Ms.push(p50);
    this.values.p99Ms.push(p99);
    this.values.rssMb.push(round(Math.max(...uses.map(({ rssMb }) => rssMb))));
    this.values.storeBytes.push(place.server === null ? 0 : await bytesOf(place.server));
  }
}
