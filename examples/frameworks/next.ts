/** What Next does with the files in next/, without Next: it starts the server, then calls a route's function for each request. */
import { tryOut } from './client.ts';
import * as health from './next/app/health/route.ts';
import * as job from './next/app/jobs/[id]/route.ts';
import * as welcome from './next/app/welcome/route.ts';
import { register } from './next/instrumentation.ts';
import { longshore } from './next/longshore.ts';

process.env['NEXT_RUNTIME'] = 'nodejs';
await register();
await tryOut('http://localhost', (request) => {
  const [, route, id = ''] = new URL(request.url).pathname.split('/');
  if (route === 'jobs') return job.GET(request, { params: Promise.resolve({ id }) });
  return route === 'health' ? health.GET() : welcome.POST(request);
});
await (await longshore()).close();
