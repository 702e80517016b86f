/** A client, to see the servers work. `send` reaches the server at `url`. */
export async function tryOut(
  url: string,
  send: (request: Request) => Response | Promise<Response> = fetch,
): Promise<void> {
  const ask = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const post = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await send(new Request(new URL(path, url), post));
    const answer = (await response.json()) as Record<string, unknown>;
    console.log(response.status, path === '/health' ? answer['ok'] : { ...answer, ...hidden(answer) });
    return answer;
  };
  const { id } = await ask('/welcome', { email: 'ada@example.org' });
  await ask(`/jobs/${id}`);
  await ask('/welcome', { email: 'nonsense' });
  await ask('/health');
}

/** Ids differ from run to run. */
function hidden(answer: object): { id?: string } {
  return 'id' in answer ? { id: '...' } : {};
}
