import type { Finding } from '../store.ts';
import type { ServerFacts } from './migrate.ts';
import type { Session } from './session.ts';
import type { Place } from './url.ts';

/** What the doctor's checks look at (doctor.ts, doctor-schema.ts). */
export interface Patient {
  readonly session: Session;
  readonly place: Place;
  readonly facts: ServerFacts;
  readonly bounds: Bounds;
  /** What can be mended is. */
  readonly repair: boolean;
  /** Quoted. */
  readonly schema: string;
}

/** When something counts as old or much. */
export interface Bounds {
  readonly snapshotMs: number;
  readonly clockMs: number;
  readonly deadRows: number;
}

export type Look = Omit<Finding, 'check'>;

export type Check = (patient: Patient) => Look | Promise<Look>;

export function good(detail: string): Look {
  return { level: 'ok', detail, remedy: null };
}

export function note(detail: string, remedy: string): Look {
  return { level: 'note', detail, remedy };
}

export function fault(detail: string, remedy: string): Look {
  return { level: 'fault', detail, remedy };
}
