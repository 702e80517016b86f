import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, defineTask, toNodeHandler } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs } from '../workload.ts';

/** Serves the HTTP API of a store on a free port of this machine, until told to stop; then says which jobs are there. */
program<{ readonly url: string }, Record<string, number>>(async ({ url }, parent) => {
  const longshore = await connect(url);
  try {
    const noop = defineTask({ name: 'noop', run: () => undefined });
    const server = createServer(toNodeHandler(longshore.http({ tasks: [noop] })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    parent.say('listening', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await parent.told('stop');
    server.closeAllConnections();
    server.close();
    return await countJobs(longshore);
  } finally {
    await longshore.close();
  }
});
