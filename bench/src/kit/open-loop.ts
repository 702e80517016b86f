import { round } from '../spread.ts';
import { useOf } from './burn.ts';
import { latencyFigures } from './latencies.ts';
import { inTeam } from './staff.ts';
import type { Team } from './team.ts';
import type { Trial, TrialContext, TrialResult, TrialSettings } from './trial.ts';

/**
 * Jobs are sent at a rate, whatever becomes of those before, and timed from the moment they were to be sent
 * (coordinated omission: a system that stalls pays for every job it held up).
 */
export const openLoop: Trial = (settings, context) => {
  const count = countOf(settings);
  return inTeam(
    settings,
    context,
    async ({ team, name }) => {
      await team.warmUp(settings.number('warmup', 2_000), 500);
      return pacedRun(team, { name, rate: settings.number('rate'), count, sabotage: context.sabotage });
    },
    { jobs: count },
  );
};

export function countOf(settings: TrialSettings): number {
  return Math.max(1, Math.round(settings.number('rate') * settings.number('seconds', 10)));
}

export interface PacedRun extends Pick<TrialContext, 'sabotage'> {
  readonly name: string;
  readonly rate: number;
  readonly count: number;
}

export async function pacedRun(team: Team, { name, rate, count, sabotage }: PacedRun): Promise<TrialResult> {
  await team.callWorkers('work');
  const beganAt = await team.call(team.sender, 'time');
  const sent = await team.call(team.sender, 'pace', { rate, count, from: 0 });
  const sentAt = await team.call(team.sender, 'time');
  await team.allRan(count);
  const endedAt = await team.call(team.sender, 'settled');
  const worked = await team.report(name, count, sabotage);
  const parts = [
    latencyFigures(
      'enqueueToStartMs',
      worked.map(({ pickup }) => pickup),
    ),
    latencyFigures(
      'startToCompleteMs',
      worked.map(({ ends }) => ends),
    ),
    latencyFigures('acknowledgedMs', [sent.ack]),
    latencyFigures('instrumentLateMs', [sent.late]),
  ];
  return {
    figures: {
      ...Object.assign({}, ...parts.map(({ figures }) => figures)),
      donePerSecond: round((count / (endedAt - beganAt)) * 1_000),
      backlogMs: round(Math.max(0, endedAt - sentAt)),
      ...useOf(worked, count),
    },
    histograms: Object.assign({}, ...parts.map(({ histograms }) => histograms)),
  };
}
