import type { Lease } from '../store/store.ts';

/** Where a handler's progress and log lines go. */
export interface NoteTaker {
  progress(lease: Lease, value: unknown): void;
  lastProgress(lease: Lease): Promise<unknown>;
  log(lease: Lease, message: string, data: unknown): void;
}
