/** Five ways to treat an enqueue that equals one before. Equal means: the same key; by default, the same input. */
import { connect, defineTask, type LongshoreError, type UniqueOptions } from '../src/index.ts'; // in your project: from 'longshore'

const reindex = defineTask({ name: 'reindex', run: ({ input }) => input });
const longshore = await connect('memory:');

async function twice(unique: UniqueOptions): Promise<void> {
  const first = await longshore.enqueue(reindex, 'first', { unique });
  const second = await longshore.enqueue(reindex, 'second', { unique });
  const job = await longshore.jobs.get(first.id);
  console.log(
    `${unique.mode}: ${second.status}, same job: ${second.id === first.id}, its input: ${job?.input}`,
  );
}

// The holder's handle is returned.
await twice({ key: 'a', mode: 'existing' });
// The waiting holder takes the new values.
await twice({ key: 'b', mode: 'replace' });
// Like replace, and the job runs 5 s after the last enqueue.
await twice({ key: 'c', mode: 'debounce', periodMs: 5_000 });
// The holder's handle is returned until a minute after the first enqueue, even when its job has ended.
await twice({ key: 'd', mode: 'throttle', periodMs: 60_000 });

// An error that names the holder.
await longshore.enqueue(reindex, 'reject', { unique: { mode: 'reject' } });
await longshore
  .enqueue(reindex, 'reject', { unique: { mode: 'reject' } })
  .catch((error: LongshoreError) => console.log(`reject: ${error.code}`));

await longshore.close();
