/**
 * The flows of every other system share this: the driver that plays Longshore's runs plays theirs (bench/src/flows/play.ts).
 * A system gives functions that go through its public interface; steps are told by run and place in the graph.
 *
 * @param {(settings: import('../src/flows/play.ts').PlaySettings) => object} open everything of a FlowSystem but `jobs` and `counts`
 */
import { play } from '../src/flows/play.ts';
import { program } from '../src/program.ts';

export function playFlows(open) {
  program(async (settings, parent) => {
    const system = {
      jobs: (run, step) => jobsOf(settings, run, step),
      // Each job ran once by the marks of its handler; what these systems keep of finished jobs differs.
      counts: async () => null,
      ...open(settings),
    };
    try {
      return await play(system, settings, parent);
    } finally {
      await system.close();
    }
  });
}

/** How many jobs a step of a run is. */
export function jobsOf({ part, graph, items }, run, step) {
  return part === 'fanOut' && step === 0 ? items[run] : graph[step].jobs;
}
