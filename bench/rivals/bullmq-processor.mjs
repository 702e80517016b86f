/** The sandboxed processor: BullMQ imports this file in each of its threads or child processes. */
import { markRun } from '../src/run-marks.ts';

/** @param {{ data: { n: number } }} job */
export default async function noop({ data }) {
  markRun(data.n);
}
