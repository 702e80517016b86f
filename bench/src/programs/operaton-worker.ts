import { defineTask } from '../longshore.ts';
import { operatonWorker } from '../longshore-operaton.ts';
import { program } from '../program.ts';

/** Longshore's worker for Operaton: runs no-op tasks of one topic until it is told to stop, and counts its processor time. */
interface Settings {
  readonly url: string;
  readonly topic: string;
  readonly concurrency: number;
}

program(async ({ url, topic, concurrency }: Settings, parent) => {
  const task = defineTask({ name: 'nothing', run: () => null });
  const worker = operatonWorker({ url, concurrency, topics: { [topic]: task }, logger: false });
  const before = process.cpuUsage();
  await worker.start();
  parent.say('ready');
  await parent.told('burnt');
  const { user, system } = process.cpuUsage(before);
  parent.say('cpu', user + system);
  await parent.told('stop');
  await worker.stop();
  return { ...worker.tally };
});
