import { openStore } from '../../../../src/store/sqlite/open.ts';
import { completed, request, spec, specs } from '../specs.ts';

/** Adds 20 jobs, ten of them one by one; then claims and settles until nothing is left. Tells which it claimed. */
const store = await openStore(process.argv[2] as string, {});
await store.enqueue(specs(10));
for (let added = 0; added < 10; added += 1) await store.enqueue([spec()]);
const claimed: string[] = [];
for (;;) {
  const { leases } = await store.claim(request({ workerId: String(process.pid), limit: 3 }));
  if (leases.length === 0) break;
  claimed.push(...leases.map(({ id }) => id));
  await store.settle(leases.map((lease) => completed(lease)));
}
await store.close();
process.send?.(claimed);
process.disconnect();
