import { burstFigures, shapeFigures } from '../flows/figures.ts';
import { measurePlay, type Play } from '../flows/measure.ts';
import { FLOW_RIVALS, type FlowRival } from '../flows/rivals.ts';
import { fanOutShape, type ShapeName, shapeNamed } from '../flows/shape.ts';
import { type DurationSummary, Durations } from '../histogram.ts';
import { connect } from '../longshore.ts';
import { inFreshPlace } from '../open-site.ts';
import { installRivals, rivalFile } from '../rivals.ts';
import { round } from '../spread.ts';
import { Skipped, type Trial, type TrialSettings } from './trial.ts';

/**
 * Runs of a flow end to end, of every shape: at a rate, all at once (`burst`), or one fan-out after the other (`items`). Of
 * Longshore, traces say where the time went: the sum of each phase along the way that the end waited for.
 */
export const flow: Trial = async (settings, context) => {
  const system = settings.text('system', 'longshore');
  if (system !== 'longshore') await installRivals(context.progress);
  const site = await context.site(settings.store);
  return inFreshPlace(site, async (place) => {
    const play = await playOf(settings, system);
    const { sabotage, signal } = context;
    const played = await measurePlay({ ...play, place, sabotage, signal });
    const traces = system === 'longshore' && play.part === 'paced' ? await phasesOf(place.url, play) : {};
    if (play.part === 'fanOut') {
      const { intended, ended } = played.started;
      const took = (ended[play.warmup] ?? Number.NaN) - (intended[play.warmup] ?? Number.NaN);
      return {
        figures: { fanOutMs: round(took), itemsPerSecond: round((settings.number('items') / took) * 1_000) },
      };
    }
    if (play.part === 'burst') {
      const { runsPerSecond } = burstFigures(played, play.graph, play.warmup);
      return { figures: { runsPerSecond } };
    }
    const { runsPerSecond, endToEndMs, lastStepMs, edgeMs, startMs } = shapeFigures(
      played,
      play.graph,
      play.warmup,
    );
    return {
      figures: {
        runsPerSecond,
        ...named('endToEndMs', endToEndMs),
        ...named('edgeMs', edgeMs),
        ...named('lastStepMs', lastStepMs),
        ...named('durableMs', startMs),
        ...traces,
      },
    };
  });
};

async function playOf(
  settings: TrialSettings,
  system: string,
): Promise<Omit<Play, 'place' | 'sabotage' | 'signal'>> {
  const part = settings.text('part', 'paced') as Play['part'];
  const items = part === 'fanOut' ? [10, settings.number('items')] : [];
  const shape = settings.text('shape', 'linear3');
  const { graph } = part === 'fanOut' ? await fanOutShape(items) : await shapeNamed(shape as ShapeName);
  const rival = system === 'longshore' ? null : rivalOf(system, settings);
  if (rival !== null && !rival.has(graph))
    throw new Skipped(`${system} has no flows of this shape. ${rival.note}.`);
  return {
    name: `${system}, ${part === 'fanOut' ? 'fan-out' : shape}`,
    part,
    shape,
    graph,
    rate: settings.number('rate', 20),
    warmup: part === 'fanOut' ? 1 : settings.number('warmup', 50),
    runs: part === 'fanOut' ? 1 : settings.number('runs'),
    items,
    concurrency: settings.number('concurrency', 100),
    timeoutMs: 1_000 * settings.number('timeout', 180),
    processes: settings.store === 'memory' ? 1 : (rival?.processes ?? 2),
    ...(rival === null ? {} : { file: rivalFile(rival.program) }),
  };
}

function rivalOf(system: string, { store }: TrialSettings): FlowRival {
  const rivals = store === 'postgres' || store === 'redis' ? FLOW_RIVALS[store] : [];
  const rival = rivals.find(({ name }) => name === system);
  if (rival === undefined) throw new Error(`${system} has no flows on ${store} that could be measured.`);
  return rival;
}

function named(name: string, summary: DurationSummary): Record<string, number> {
  const { samples, weak, ...values } = summary;
  if (samples === 0) return {};
  const kept = Object.entries(values).filter(([percentile]) => !weak.includes(percentile));
  return Object.fromEntries(kept.map(([percentile, value]) => [`${name}.${percentile}`, value]));
}

const TRACES = 30;

/** Of the last runs: medians of the time in each phase. */
async function phasesOf(
  url: string,
  { warmup, runs }: Pick<Play, 'warmup' | 'runs'>,
): Promise<Record<string, number>> {
  // A store in a process is gone with it.
  if (url.startsWith('memory')) return {};
  const longshore = await connect(url);
  try {
    const phases: Record<string, Durations> = {};
    for (let run = Math.max(0, warmup + runs - TRACES); run < warmup + runs; run += 1) {
      const trace = await longshore.trace(`run-${run}`);
      for (const [phase, ms] of Object.entries(trace?.sum.phases ?? {})) {
        phases[phase] ??= new Durations();
        phases[phase].record(ms);
      }
    }
    return Object.fromEntries(
      Object.entries(phases).map(([phase, took]) => [
        `trace${phase[0]?.toUpperCase()}${phase.slice(1)}Ms.p50`,
        took.summary().p50,
      ]),
    );
  } finally {
    await longshore.close();
  }
}
