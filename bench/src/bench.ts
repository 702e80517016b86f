import type { Progress } from './progress.ts';
import type { Workspace } from './workspace.ts';

/** What every measurement is given besides its settings. */
export interface Bench {
  readonly workspace: Workspace;
  readonly progress: Progress;
  /** Folder for CPU profiles of all threads, for commands that can write them; null: none are taken. */
  readonly profile: string | null;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
}

/** What every command's settings hold. */
export interface CommonSettings {
  /** How often the whole is measured; figures are the medians. */
  readonly repeat: number;
}
