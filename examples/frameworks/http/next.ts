/** What Next does with app/ops/[...path]/route.ts, without Next: it calls a route's function for each request. */
import { connect } from '../../../src/index.ts'; // in your project: from 'longshore'
import { welcome } from '../tasks.ts';
import { tryOut } from './client.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');

// app/ops/[...path]/route.ts. Next does not say where a request comes from, so the program says who may.
const handle = longshore.http({
  tasks: [welcome],
  basePath: '/ops',
  authorize: ({ headers }) => (headers.get('x-user') === 'ada' ? { role: 'act', name: 'ada' } : null),
});
const route = { GET: handle, POST: handle };

await tryOut('http://localhost/ops', (request) => {
  request.headers.set('x-user', 'ada'); // in your project: what your session says
  return route[request.method as 'GET' | 'POST'](request);
});
await longshore.close();
