/** Hono on Node: the HTTP API of Longshore below a path of the program's own server. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { connect } from '../../../src/index.ts'; // in your project: from 'longshore'
import { welcome } from '../tasks.ts';
import { tryOut } from './client.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
const handle = longshore.http({ tasks: [welcome], basePath: '/ops' });

const app = new Hono();
app.all('/ops/*', (context) =>
  handle(context.req.raw, { remoteAddress: getConnInfo(context).remote.address }),
);

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, async () => {
  await tryOut(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ops`);
  server.close();
  await longshore.close(); // ends open streams of events, too
});
