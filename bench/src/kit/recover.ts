import { CheckFailed, Ledger, type LedgerReport, type Sabotage } from '../ledger.ts';
import { round } from '../spread.ts';
import { countOf } from './open-loop.ts';
import { inTeam } from './staff.ts';
import type { Team } from './team.ts';
import { Skipped, type Trial, type TrialContext, type TrialSettings } from './trial.ts';

/**
 * A worker, or the server, is killed (SIGKILL) in the middle of the jobs, while they come in at a rate; the server comes up again.
 * Measured is how long until nothing is unfinished. No job that was acknowledged may be lost; those that had begun may run twice.
 */
export const recover: Trial = (settings, context) => {
  const count = countOf(settings);
  return inTeam(
    settings,
    context,
    async ({ team, name }) => {
      const victim = await victimOf(settings, context);
      await team.warmUp(settings.number('warmup', 500), 500);
      await team.callWorkers('work');
      const sending = team.call(team.sender, 'pace', {
        rate: settings.number('rate'),
        count,
        from: 0,
        insists: victim.isServer,
      });
      // It may fail while something else is awaited, which then fails, too.
      sending.catch(() => undefined);
      await team.allRan(Math.ceil(count / 3));
      const killedAt = await team.call(team.sender, 'time');
      await victim.kill(team);
      const upAt = await team.call(team.sender, 'time');
      await sending;
      const sentAt = await team.call(team.sender, 'time');
      const endedAt = await team.call(team.sender, 'settled', {
        withinMs: 1_000 * settings.number('within', 120),
      });
      const worked = await team.callWorkers('stop');
      const counts = sabotaged(await team.call(team.sender, 'counts'), context.sabotage);
      const ledger = new Ledger(count, context.sabotage);
      for (const { runs, strangers } of worked) ledger.add(runs, strangers);
      const report = ledger.report();
      requireNoneLost(
        `${name}, after ${victim.words} was killed`,
        count,
        counts,
        victim.isServer ? report : null,
      );
      return {
        figures: {
          recoveredMs: round(endedAt - killedAt),
          afterLastSentMs: round(endedAt - sentAt),
          ...(victim.isServer
            ? { downMs: round(upAt - killedAt), ranTwiceCount: report.repeated }
            : { ranOnOthersCount: count - report.missing }),
        },
      };
    },
    { jobs: count },
  );
};

interface Victim {
  readonly words: string;
  readonly isServer: boolean;
  kill(team: Team): Promise<void>;
}

async function victimOf(settings: TrialSettings, context: TrialContext): Promise<Victim> {
  const victim = settings.text('victim', 'worker');
  if (victim === 'worker')
    return { words: 'a worker', isServer: false, kill: async (team) => team.kill(await busiest(team)) };
  if (victim !== 'server')
    throw new Error(`There is no victim ${JSON.stringify(victim)}; there are worker and server.`);
  const { restart } = await context.site(settings.store);
  if (restart === null)
    throw new Skipped(
      'A server is killed that was started for the measurement, and no other: leave out --url.',
    );
  return { words: 'the server', isServer: true, kill: restart };
}

function sabotaged(
  counts: Readonly<Record<string, number>>,
  sabotage: Sabotage | null,
): Readonly<Record<string, number>> {
  if (sabotage === null || counts.completed === undefined) return counts;
  return { ...counts, completed: counts.completed + (sabotage === 'lost' ? -1 : 1) };
}

/** `ledger` where all workers lived to tell what they ran. */
function requireNoneLost(
  what: string,
  count: number,
  { completed, ...others }: Readonly<Record<string, number>>,
  ledger: LedgerReport | null,
): void {
  const open = Object.values(others).reduce((sum, jobs) => sum + jobs, 0);
  const faults: string[] = [];
  if (open > 0) faults.push(`${open} are not completed`);
  if (completed !== undefined && completed < count) faults.push(`${completed} are completed`);
  if (ledger === null && completed !== undefined && completed > count)
    faults.push(`${completed} are completed`);
  if (ledger !== null && ledger.missing > 0) faults.push(`${ledger.missing} never ran`);
  if (ledger !== null && ledger.strangers > 0) faults.push(`${ledger.strangers} runs were of unknown jobs`);
  if (faults.length > 0)
    throw new CheckFailed(`${what}: of ${count} jobs, ${faults.join(', and ')}. No figures are given.`);
}

/** The one that ran most, which is sure to have jobs. */
async function busiest(team: Team): Promise<number> {
  const ran = await team.callWorkers('ran');
  const most = Math.max(...ran.map((one) => one.ran));
  return team.workers[ran.findIndex((one) => one.ran === most)] as number;
}
