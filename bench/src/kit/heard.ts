import { latencyFigures } from './latencies.ts';
import { countOf } from './open-loop.ts';
import { inTeam } from './staff.ts';
import type { Trial } from './trial.ts';

/**
 * How long news take from one process to another: from the end of a handler to the awaited `job.result()` elsewhere, and from
 * the enqueue to the handler. On servers both are a notification and a round trip or two; nothing is set up inside the timer.
 */
export const heard: Trial = (settings, context) => {
  const count = countOf(settings);
  return inTeam(
    settings,
    context,
    async ({ team, name }) => {
      await team.warmUp(settings.number('warmup', 500), 500);
      await team.callWorkers('work');
      const sent = await team.call(team.sender, 'pace', {
        rate: settings.number('rate'),
        count,
        from: 0,
        awaits: true,
      });
      await team.allRan(count);
      await team.call(team.sender, 'settled');
      const worked = await team.report(name, count, context.sabotage);
      const parts = [
        latencyFigures('endToHeardMs', [sent.heard]),
        latencyFigures(
          'enqueueToStartMs',
          worked.map(({ pickup }) => pickup),
        ),
        latencyFigures('instrumentLateMs', [sent.late]),
      ];
      return {
        figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
        histograms: Object.assign({}, ...parts.map(({ histograms }) => histograms)),
      };
    },
    { jobs: count },
  );
};
