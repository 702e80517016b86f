/** Fastify: the HTTP API of Longshore below a path of the program's own server. */
import fastify from 'fastify';
import { connect, toNodeHandler } from '../../../src/index.ts'; // in your project: from 'longshore'
import { welcome } from '../tasks.ts';
import { tryOut } from './client.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
const handle = toNodeHandler(longshore.http({ tasks: [welcome], basePath: '/ops' }));

const app = fastify({ forceCloseConnections: 'idle' });
app.register(async (ops) => {
  ops.removeAllContentTypeParsers(); // the handler reads bodies itself
  ops.addContentTypeParser('*', (_request, _payload, done) => done(null));
  ops.all('/ops/*', async (request, reply) => {
    reply.hijack();
    await handle(request.raw, reply.raw);
  });
});
app.addHook('preClose', () => longshore.close()); // ends open streams of events, too

await tryOut(`${await app.listen({ port: 0, host: '127.0.0.1' })}/ops`);
await app.close();
