import { withoutSettings } from '../runner.ts';
import { round } from '../spread.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inTeam } from './staff.ts';
import type { Trial } from './trial.ts';

/**
 * What a worker's process takes: Node alone, a worker that waits, and the most while it works. With `built`, the worker is of
 * the package as it is published: the compiler that lets Node run the sources takes memory of its own.
 */
export const workerMemory: Trial = (settings, context) =>
  inTeam(settings, context, async ({ team, name }) => {
    const jobs = settings.number('jobs');
    const nodeMb = await bareNodeMb(context.signal);
    await team.callWorkers('work');
    await pause(1_000 * settings.number('idleSeconds', 3));
    const idle = await team.callWorkers('use');
    await team.call(team.sender, 'fill', { jobs, payload: settings.number('payload', 10), batch: 500, warm: false });
    let mostMb = 0;
    const looking = new AbortController();
    const looks = (async () => {
      while (!looking.signal.aborted) {
        for (const { rssMb, childrenMb } of await team.callWorkers('use'))
          mostMb = Math.max(mostMb, rssMb + childrenMb);
        await pause(50);
      }
    })();
    await team.allRan(jobs);
    looking.abort();
    await looks;
    await team.call(team.sender, 'settled');
    await team.report(name, jobs, context.sabotage);
    const idleMb = Math.max(...idle.map(({ rssMb, childrenMb }) => rssMb + childrenMb));
    return {
      figures: {
        nodeMb: round(nodeMb),
        idleMb: round(idleMb),
        idleAddedMb: round(idleMb - nodeMb),
        processingMb: round(Math.max(mostMb, idleMb)),
      },
    };
  });

async function bareNodeMb(signal: AbortSignal): Promise<number> {
  const program = 'setTimeout(() => console.log(process.memoryUsage.rss()), 300)';
  const options = { signal, timeout: 60_000, env: withoutSettings(process.env) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], options);
  return Number(stdout) / 2 ** 20;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
