import { longshore, refused } from '../../../longshore.ts';

interface Segments {
  readonly params: Promise<{ readonly id: string }>;
}

export async function GET(_request: Request, { params }: Segments): Promise<Response> {
  try {
    const job = (await longshore()).jobs.handle((await params).id);
    const { state, result } = await job.ended({ timeoutMs: 20_000 });
    return Response.json({ state, result });
  } catch (error) {
    return refused(error);
  }
}
