import type { Sabotage } from '../ledger.ts';
import type { LaneStrategy } from './cell.ts';

/** The command's options. The help has the defaults of those that are absent. */
export interface TaskOptions {
  readonly task?: string;
  readonly input?: readonly string[];
  readonly inputs?: string;
  readonly strategy?: readonly LaneStrategy[];
  readonly concurrency?: readonly number[];
  readonly concurrencyMax?: number;
  readonly prefetch?: readonly number[];
  /** ms */
  readonly p99?: number;
  readonly cellTime?: number;
  readonly time?: number;
  readonly jobTimeout?: number;
  readonly store?: string;
  readonly dir?: string;
  readonly profile?: string;
  readonly json?: true;
  readonly output?: string;
  readonly verbose?: true;
  readonly sabotage: Sabotage | null;
}
