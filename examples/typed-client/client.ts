/** A program elsewhere: what it sends and gets is typed by the OpenAPI document (api.d.ts, made by openapi-typescript). */
import createClient from 'openapi-fetch';
import type { paths } from './api.d.ts';

const url = process.env['LONGSHORE_URL'] ?? 'http://127.0.0.1:7070/api/v1';
const client = createClient<paths>({ baseUrl: url });

const { data: made, error } = await client.POST('/jobs', {
  body: { task: 'welcome', input: { email: 'ada@example.org' }, priority: 'high' },
  params: { header: { 'Idempotency-Key': 'welcome-ada' } },
});
if (made === undefined) throw new Error(error.detail);

const params = { path: { id: made.id }, query: { waitMs: 30_000 } };
const { data: ended } = await client.GET('/jobs/{id}/result', { params });
console.log(ended?.state, ended?.result);

const { data: failed } = await client.GET('/jobs', { params: { query: { state: ['failed'], limit: 10 } } });
console.log(failed?.jobs.map(({ task, attempt }) => `${task} ${attempt}`));

const unknown = await client.POST('/jobs/{id}/cancel', { params: { path: { id: made.id } } });
console.log(unknown.response.status, unknown.error?.code);
