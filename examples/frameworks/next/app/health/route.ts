import { longshore } from '../../longshore.ts';

export const dynamic = 'force-dynamic'; // asked anew each time

export async function GET(): Promise<Response> {
  const health = await (await longshore()).health();
  return Response.json(health, { status: health.ok ? 200 : 503 });
}
