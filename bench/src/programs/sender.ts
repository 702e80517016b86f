import { connect } from '../longshore.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { program } from '../program.ts';

/** Sends jobs of the task `timed` at their intended times, while something else is measured. Each carries its time. */
export interface SenderSettings {
  readonly url: string;
  /** Jobs a second. */
  readonly rate: number;
  readonly jobs: number;
}

program<SenderSettings, null>(async ({ url, rate, jobs }, parent) => {
  parent.told('time').then(() => parent.say('time', monotonicMs()));
  const longshore = await connect(url);
  try {
    parent.say('ready');
    await parent.told('go');
    await pace({
      rate,
      count: jobs,
      clock: systemPacerClock,
      send: (n, intendedMs) => longshore.enqueue('timed', { n, intendedMs }),
    });
    return null;
  } finally {
    await longshore.close();
  }
});
