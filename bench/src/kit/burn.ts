import { round } from '../spread.ts';
import type { Worked } from './agent.ts';
import { latencyFigures } from './latencies.ts';
import { serverCosts } from './server-costs.ts';
import { inTeam } from './staff.ts';
import type { Trial } from './trial.ts';

/**
 * A full queue is worked off: all jobs are enqueued first, then workers start. The clock of `process` runs from the begin of
 * the first handler, since workers in some languages take seconds to start, until the server knows of nothing unfinished.
 */
export const burn: Trial = (settings, context) =>
  inTeam(settings, context, async ({ team, place, name }) => {
    const jobs = settings.number('jobs');
    const batch = settings.number('batch', 500);
    await team.warmUp(settings.number('warmup', 2_000), batch);
    const costs = await serverCosts(place.server);
    const sent = await team.call(team.sender, 'fill', {
      jobs,
      payload: settings.number('payload', 10),
      batch,
      warm: false,
    });
    const enqueueCosts = await costs.since(jobs);
    const began = await team.callWorkers('work');
    await team.allRan(jobs);
    const firstAt = Math.min(
      ...(await team.callWorkers('ran')).map((ran) => ran.firstAt ?? Number.POSITIVE_INFINITY),
    );
    const endedAt = await team.call(team.sender, 'settled');
    const processCosts = await costs.since(jobs);
    const worked = await team.report(name, jobs, context.sabotage);
    const beganAt = Math.min(...began);
    const processMs = endedAt - firstAt;
    const figures = {
      submitPerSecond: round((jobs / sent.ms) * 1_000),
      processPerSecond: round((jobs / processMs) * 1_000),
      startMs: round(firstAt - beganAt),
      submitCpuMicrosPerJob: round((sent.cpuMs / jobs) * 1_000),
      ...useOf(worked, jobs),
      ...prefixed('submit', enqueueCosts),
      ...prefixed('process', processCosts),
    };
    const ends = latencyFigures(
      'startToCompleteMs',
      worked.map((one) => one.ends),
    );
    return { figures: { ...figures, ...ends.figures }, histograms: ends.histograms };
  });

function prefixed(name: string, costs: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(costs).map(([cost, value]) => [`${name}${cost[0]?.toUpperCase()}${cost.slice(1)}`, value]),
  );
}

/** What the workers' processes took, in all or at the worst. */
export function useOf(worked: readonly Worked[], jobs: number): Record<string, number> {
  const uses = worked.map(({ use }) => use);
  const sum = (of: (use: Worked['use']) => number): number => uses.reduce((total, use) => total + of(use), 0);
  const most = (of: (use: Worked['use']) => number): number => Math.max(...uses.map(of));
  return {
    cpuMicrosPerJob: round((sum(({ cpuMs }) => cpuMs) / jobs) * 1_000),
    workerRssMb: round(most(({ rssMb, childrenMb }) => rssMb + childrenMb)),
    loopDelayMs: round(most(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    loopBusyPercent: round(100 * most(({ loopBusy }) => loopBusy)),
    collectingMs: round(sum(({ collectingMs }) => collectingMs)),
  };
}
