import type { Machine } from './machine.ts';

/**
 * The one document a measurement gives, and what is recorded in bench/results. A change that a reader of old documents
 * would stumble over gets a new schema number.
 */
export const SCHEMA = 'longshore-bench/1';

export type Document<Settings, Figures> = Heading<Settings> & Figures;

export interface Heading<Settings> {
  readonly schema: typeof SCHEMA;
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tookMs: number;
  readonly settings: Settings;
  readonly machine: Machine;
}
