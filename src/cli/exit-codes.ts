import { ERROR_CODES, type ErrorCode } from '../core/errors.ts';

/** How the program ends; shells and scripts branch on these. Signals: 128 + number, as shells do. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The command was called in a way that cannot be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** Errors that say "you typed it wrong", whoever found out. */
const USAGE_CODES: ReadonlySet<string> = new Set<ErrorCode | 'USAGE'>([
  'USAGE',
  'OPTION_INVALID',
  'PAYLOAD_NOT_JSON',
  'STORE_URL_INVALID',
]);

export function exitCodeOf(error: unknown): number {
  return USAGE_CODES.has(codeOf(error)) ? EXIT.usage : EXIT.failed;
}

/** A code of the one table, USAGE, or UNEXPECTED for a fault of the program itself. */
export function codeOf(error: unknown): ErrorCode | 'USAGE' | 'UNEXPECTED' {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'USAGE') return code;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'UNEXPECTED';
}
