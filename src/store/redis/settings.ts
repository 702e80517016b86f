import type { Ageing } from '../../core/ageing.ts';
import type { QueueLimits } from '../../core/limits.ts';
import { RETENTION_DEFAULT, type Retention } from '../store.ts';
import { isAgeing, isLimits, isNumberOrNull, isRetention, parseStored } from '../stored-settings.ts';

/** What the hash `settings` has of a queue; claims read `pausedAt` and `limits`, null where nothing is limited. */
export interface StoredSettings {
  readonly pausedAt: number | null;
  readonly retention: Retention;
  readonly limits: QueueLimits | null;
  readonly ageing: Ageing | null;
}

const DEFAULTS: StoredSettings = { pausedAt: null, retention: RETENTION_DEFAULT, limits: null, ageing: null };

/** Written by configureQueue alone; '' where nobody did. Null where they cannot be read, as lua/_names.lua judges them. */
export function parseSettings(text: string): StoredSettings | null {
  if (text === '') return DEFAULTS;
  const found = parseStored(text) as Partial<StoredSettings> | null | undefined;
  const { pausedAt, retention, limits, ageing } = found ?? {};
  if (!isNumberOrNull(pausedAt) || !isRetention(retention)) return null;
  if (limits !== null && !isLimits(limits)) return null;
  return { pausedAt, retention, limits, ageing: isAgeing(ageing) ? ageing : null };
}

/** A queue of which nobody knows what it allows waits until it is resumed. */
export function settingsUnreadable(now: number): StoredSettings {
  return { ...DEFAULTS, pausedAt: now };
}
