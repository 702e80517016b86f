/** Which job runs first: the lowest priority number, then the oldest; and not before its time. */
import { connect, defineTask } from '../src/index.ts'; // in your project: from 'longshore'

const order: unknown[] = [];
const note = defineTask({ name: 'note', run: ({ input }) => void order.push(input) });

const longshore = await connect('memory:');
await longshore.enqueue(note, 'first of priority 0');
await longshore.enqueue(note, 'second of priority 0');
await longshore.enqueue(note, 'low, that is 10', { priority: 'low' });
await longshore.enqueue(note, 'high, that is -10', { priority: 'high' });
await longshore.enqueue(note, 'before all others', { priority: -1_000 });
const later = await longshore.enqueue(note, 'a moment later', { delayMs: 500, priority: 'high' });
const tomorrow = await longshore.enqueue(note, 'tomorrow', { at: new Date(Date.now() + 86_400_000) });

// Serial: one after the other, in exactly this order.
const worker = longshore.worker({ tasks: [note], serial: true });
await worker.start();
await later.ended();

await longshore.jobs.reschedule(tomorrow.id, Date.now()); // why wait
await tomorrow.ended();
console.log(order.join('\n'));

await longshore.close();
