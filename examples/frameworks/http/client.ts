/** A client of the HTTP API, to see it work below `base`. `send` reaches the server. */
export async function tryOut(
  base: string,
  send: (request: Request) => Promise<Response> = fetch,
): Promise<void> {
  const ask = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const post = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await send(new Request(`${base}${path}`, post));
    const answer = (await response.json()) as Record<string, unknown>;
    const { state, code, status } = answer;
    console.log(response.status, path.replace(/[\da-f-]{36}/, 'ID'), state ?? code ?? status ?? '');
    return answer;
  };
  const { id } = await ask('/api/v1/jobs', { task: 'welcome', input: { email: 'ada@example.org' } });
  await ask(`/api/v1/jobs/${id}`);
  await ask('/api/v1/jobs', { task: 'welcome', input: { email: 'nonsense' } });
  await ask('/api/v1/nothing');
  const document = await send(new Request(`${base}/openapi.json`));
  const { servers } = (await document.json()) as { servers: { url: string }[] };
  console.log(servers[0]?.url);
}
