import type { Capabilities } from '../../store/store.ts';
import type { Trial } from './trial.ts';

/** Registers one test of an area: a sentence of behaviour, what shows it, and the capability it needs. */
export type It = (
  sentence: string,
  body: (trial: Trial) => Promise<void>,
  needs?: keyof Capabilities,
) => void;
