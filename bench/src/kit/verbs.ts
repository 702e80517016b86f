import { Durations } from '../histogram.ts';
import { requireExactlyOnce } from '../ledger.ts';
import { inFreshPlace } from '../open-site.ts';
import type { VerbsReport, VerbsSettings } from '../programs/store-verbs.ts';
import { run } from '../runner.ts';
import { latencyFigures } from './latencies.ts';
import type { Trial } from './trial.ts';

/**
 * The cost of the store's verbs (enqueue, claim, settle, and what plans of flows need), as a worker sees them, with few or many
 * jobs there, waiting or finished. On PostgreSQL, details hold the plan of every statement inside its functions.
 */
export const verbs: Trial = async (settings, context) => {
  const site = await context.site(settings.store);
  return inFreshPlace(site, async ({ url, server }) => {
    const rounds = settings.number('rounds', 100);
    const size = settings.number('size', 100);
    const given: VerbsSettings = {
      url,
      server,
      waiting: settings.number('waiting', 0),
      finished: settings.number('finished', 0),
      rounds,
      warmup: Math.min(10, rounds >> 1),
      kind: 'plain',
      size,
      flows: settings.number('flows', 0),
      sabotage: context.sabotage,
    };
    const timeoutMs = 1_000 * settings.number('timeout', 600);
    const report = await run<VerbsReport>('store-verbs', given, { timeoutMs, signal: context.signal });
    requireExactlyOnce('verbs', rounds * size, report);
    const parts = inOrder(report.took).map(([verb, encoded]) => latencyFigures(`${verb}Ms`, [encoded]));
    const { mean = 0 } = new Durations().add(report.took.claim ?? new Durations().encoded()).summary();
    return {
      figures: {
        ...Object.assign({}, ...parts.map(({ figures }) => figures)),
        claimMicrosPerJob: Math.round((100_000 * mean) / size) / 100,
      },
      histograms: Object.assign({}, ...parts.map(({ histograms }) => histograms)),
      ...(Object.keys(report.plans).length === 0 ? {} : { details: { plans: report.plans } }),
    };
  });
};

/** What every job needs comes first. */
function inOrder(took: Readonly<Record<string, string>>): [verb: string, encoded: string][] {
  const place = (verb: string): number => (MAIN.indexOf(verb) + MAIN.length + 1) % (MAIN.length + 1);
  return Object.entries(took).sort(([one], [other]) => place(one) - place(other));
}

const MAIN = ['enqueue', 'claim', 'settle', 'commit'];
