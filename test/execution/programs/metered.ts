/** Waits and measures that, from now until it is sent anything; answers with what it measured. */
import { Meter } from '../../../src/execution/meter.ts';

const reading = new Meter(null).start();
process.once('message', () => process.send?.(reading.stop(), () => process.disconnect()));
process.send?.('ready');
