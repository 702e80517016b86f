/**
 * The simulator as a program, for tests that kill it: `node program.ts PORT FILE`. Its parent hears of each completion that it took;
 * it goes on from the file when it is started again.
 */
import { sequence } from '../processes.ts';
import { Simulator } from './server.ts';

const [port = '0', file = ''] = process.argv.slice(2);
const simulator = await new Simulator({ ...(file === '' ? {} : { file }) }).listen(Number(port));
simulator.trouble = ({ path }) => {
  // It is long: what was called is not kept here.
  simulator.calls.length = 0;
  if (path.endsWith('/completion'))
    setImmediate(() => process.send?.({ completions: simulator.engine.counts.completions }));
  return null;
};
process.on('message', ({ type, count }: { type: string; count: number }) => {
  simulator.engine.deploy('work.bpmn', sequence('work', { type }));
  for (let n = 0; n < count; n += 1)
    simulator.engine.create({ processId: 'work', variables: { n }, tenantId: '<default>', tags: [] });
  process.send?.({ created: count });
});
process.once('disconnect', () => process.exit());
process.send?.({ url: simulator.url });
