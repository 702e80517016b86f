/** Express: the HTTP API of Longshore below a path of the program's own server. */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { connect, toNodeHandler } from '../../../src/index.ts'; // in your project: from 'longshore'
import { welcome } from '../tasks.ts';
import { tryOut } from './client.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');

const app = express();
app.use('/ops', toNodeHandler(longshore.http({ tasks: [welcome] })));

const server = app.listen(0, '127.0.0.1', async () => {
  await tryOut(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ops`);
  server.close();
  await longshore.close(); // ends open streams of events, too
});
