import { bulkCommand } from '../bulk.ts';
import { parseJson } from '../json-text.ts';

interface Options {
  readonly result?: unknown;
}

export const resolve = bulkCommand<Options>({
  verb: 'resolve',
  past: 'resolved by hand',
  states: ['failed'],
  asks: 'yes',
  define: (command) =>
    command.option('--result <json>', 'the result the jobs are given (default: none)', (text) =>
      parseJson(text, '--result', { typed: true }),
    ),
  examples: [`longshore resolve ID --result '{"bytes":0}' --why 'done by hand'`],
  act: (jobs, selection, audit, { result }) => jobs.resolve(selection, result, audit),
});
