import { inFreshPlace } from '../open-site.ts';
import { installRivals, rivalFile } from '../rivals.ts';
import type { Place, StoreKind } from '../site.ts';
import { slowNetwork } from './proxy.ts';
import type { AgentSettings } from './system.ts';
import { SYSTEMS, type SystemEntry } from './systems.ts';
import { Team } from './team.ts';
import type { TrialContext, TrialResult, TrialSettings } from './trial.ts';

/** A team at work: agents of one system, on a store of their own. */
export interface Staff {
  readonly team: Team;
  readonly place: Place;
  /** For messages. */
  readonly name: string;
}

/** Starts a team as the cell's settings have it, and ends it. */
export async function inTeam(
  settings: TrialSettings,
  context: TrialContext,
  use: (staff: Staff) => Promise<TrialResult>,
  changes: { readonly jobs?: number } = {},
): Promise<TrialResult> {
  const name = settings.text('system', 'longshore');
  const entry = entryOf(name, settings.store);
  if (entry.rival) await installRivals(context.progress);
  const version = await entry.ready?.(context);
  const site = await context.site(settings.store);
  return inFreshPlace(site, async (place) => {
    const delayMs = settings.number('networkMs', 0);
    const network =
      place.server === null || delayMs === 0 ? null : await slowNetwork(place.server.url, delayMs);
    const through = network?.through ?? ((url: string) => url);
    const server = place.server === null ? null : { ...place.server, url: through(place.server.url) };
    const jobs = changes.jobs ?? settings.number('jobs');
    const team = await Team.start({
      name: entry.program,
      file: entry.rival ? rivalFile(entry.program) : null,
      settings: {
        system: name,
        url: through(place.url),
        server,
        handler: settings.text('handler', 'none'),
        digests: context.digests,
        jobs,
        concurrency: settings.number('concurrency', 100),
        strategy: strategyOf(settings, name, entry),
        hosts: settings.number('hosts', 2),
        marksFile: context.workspace.freshFile(),
        keeps: entry.keeps,
        kind: settings.text('kind', 'plain'),
        leaseMs: settings.number('leaseMs', 30_000),
        timesEnds: settings.number('timesEnds', 0) === 1,
        sabotage: context.sabotage,
      },
      workers: settings.number('workers', 1),
      timeoutMs: 1_000 * settings.number('timeout', 600),
      signal: context.signal,
    });
    try {
      const result = await use({ team, place, name });
      return version === undefined ? result : { ...result, version };
    } finally {
      await team.end();
      network?.close();
    }
  });
}

function strategyOf(settings: TrialSettings, name: string, entry: SystemEntry): AgentSettings['strategy'] {
  const strategy = settings.text('strategy', 'async');
  if (strategy === 'async') return strategy;
  if (strategy !== 'thread' && strategy !== 'process')
    throw new Error(`The strategy ${JSON.stringify(strategy)} is none of async, thread, process.`);
  if (entry.hosts !== true)
    throw new Error(`${name} has no ${strategy} strategy here: its handlers run in its own process.`);
  return strategy;
}

function entryOf(name: string, store: StoreKind): SystemEntry {
  const entry = SYSTEMS[name];
  if (entry === undefined)
    throw new Error(
      `There is no system ${JSON.stringify(name)}; there are ${Object.keys(SYSTEMS).join(', ')}.`,
    );
  if (!entry.stores.includes(store))
    throw new Error(`${name} does not work on ${store}, only on ${entry.stores.join(', ')}.`);
  return entry;
}
