/**
 * The parts of the command line program that this one shares: how task files are found, values read, tables fitted to the
 * screen, and what exit codes mean. So both understand and say the same.
 */
export { EXIT, exitCodeOf, UsageError } from '../../../src/cli/exit-codes.ts';
export { parseJson } from '../../../src/cli/json-text.ts';
export { shortPath } from '../../../src/cli/load-fault.ts';
export { Output } from '../../../src/cli/output.ts';
export type { Column } from '../../../src/cli/table.ts';
export { type FoundTask, loadTasks } from '../../../src/cli/task-files.ts';
export { counted, printable, wrapped } from '../../../src/cli/text.ts';
export { duration, integer, repeated } from '../../../src/cli/values.ts';
export { nearest } from '../../../src/core/options.ts';
