/** One connection a process, also when Next loads this module again while you develop. */
import { connect, type Longshore, LongshoreError } from '../../../src/index.ts'; // in your project: from 'longshore'

const kept = globalThis as { longshore?: Promise<Longshore> };

export function longshore(): Promise<Longshore> {
  kept.longshore ??= connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
  return kept.longshore;
}

/** An error as an answer. */
export function refused(error: unknown): Response {
  if (!(error instanceof LongshoreError)) throw error;
  return Response.json({ code: error.code }, { status: error.status });
}
