import { openStore } from '../../../../src/store/sqlite/open.ts';
import { completed, request, spec } from '../specs.ts';

/** Says `open`, then does what it is told. */
const store = await openStore(process.argv[2] as string, {});

process.on('message', async (command) => {
  if (command === 'enqueue') await store.enqueue([spec()]);
  if (command === 'pause') await store.configureQueue('q', { paused: true });
  if (command === 'complete') {
    const { leases } = await store.claim(request());
    await store.settle(leases.map((lease) => completed(lease)));
  }
});
process.send?.('open');
