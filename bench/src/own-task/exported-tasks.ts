/** Apart from cli.ts, since threads and processes of cells load it, too. */
export { exportedTasks } from '../../../src/execution/exported-tasks.ts';
