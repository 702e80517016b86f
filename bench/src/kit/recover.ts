import { CheckFailed } from '../ledger.ts';
import { round } from '../spread.ts';
import { countOf } from './open-loop.ts';
import { inTeam } from './staff.ts';
import type { Team } from './team.ts';
import type { Trial } from './trial.ts';

/**
 * A worker is killed (SIGKILL) in the middle of its jobs, while they come in at a rate. The others take over: measured is how
 * long until nothing is unfinished. No job may be lost; those that the killed one had begun may run twice, and are counted.
 */
export const recover: Trial = (settings, context) => {
  const count = countOf(settings);
  return inTeam(
    settings,
    context,
    async ({ team, name }) => {
      await team.warmUp(settings.number('warmup', 500), 500);
      await team.callWorkers('work');
      const sending = team.call(team.sender, 'pace', { rate: settings.number('rate'), count, from: 0 });
      // It may fail while something else is awaited, which then fails, too.
      sending.catch(() => undefined);
      await team.allRan(Math.ceil(count / 3));
      const victim = await busiest(team);
      const killedAt = await team.call(team.sender, 'time');
      await team.kill(victim);
      await sending;
      const sentAt = await team.call(team.sender, 'time');
      const endedAt = await team.call(team.sender, 'settled', {
        withinMs: 1_000 * settings.number('within', 120),
      });
      const worked = await team.callWorkers('stop');
      const counts = await team.call(team.sender, 'counts');
      const left = Object.entries(counts).filter(([state]) => state !== 'completed');
      const open = left.reduce((sum, [, jobs]) => sum + jobs, 0);
      if (
        open > 0 ||
        (counts.completed !== undefined && counts.completed !== count) ||
        context.sabotage !== null
      )
        throw new CheckFailed(
          `${name}: of ${count} jobs, after a worker was killed, ${counts.completed ?? count - open} are completed and ${open} are not. No figures are given.`,
        );
      const runs = worked.reduce((sum, one) => sum + one.runs.reduce((times, run) => times + run, 0), 0);
      return {
        figures: {
          recoveredMs: round(endedAt - killedAt),
          afterLastSentMs: round(endedAt - sentAt),
          ranOnOthersCount: runs,
        },
      };
    },
    { jobs: count },
  );
};

/** The one that ran most, which is sure to have jobs. */
async function busiest(team: Team): Promise<number> {
  const ran = await team.callWorkers('ran');
  const most = Math.max(...ran.map((one) => one.ran));
  return team.workers[ran.findIndex((one) => one.ran === most)] as number;
}
