/** The sandboxed processor: BullMQ imports this file in each of its threads or child processes. */
import { runHosted } from '../src/kit/hosted.ts';

/** @param {{ data: import('../src/kit/system.ts').JobInput }} job */
export default ({ data }) => runHosted(data);
