import { welcome } from '../../../tasks.ts';
import { longshore, refused } from '../../longshore.ts';

export async function POST(request: Request): Promise<Response> {
  try {
    const { id } = await (await longshore()).enqueue(welcome, (await request.json()) as { email: string });
    return Response.json({ id }, { status: 202 });
  } catch (error) {
    return refused(error);
  }
}
