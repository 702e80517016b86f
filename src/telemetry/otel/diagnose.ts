import type { Api } from './api.ts';

/**
 * A collector that is not there, is slow or refuses costs spans, never jobs; yet OpenTelemetry is silent about it unless a program
 * has set a logger. Where none is set, its warnings and errors become one line each, and the same line once a minute.
 */
export function tellTrouble({ diag, DiagLogLevel }: Api, warn: (text: string) => void): void {
  if (hasLogger()) return;
  const tell = (message: string): void => warn(`OpenTelemetry: ${shortOf(message)}`);
  const silent = (): void => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** The API keeps what is registered where every copy of it finds it. */
function hasLogger(): boolean {
  const registered = (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')];
  return typeof registered === 'object' && registered !== null && 'diag' in registered;
}

/** Exporters write their errors as JSON, with stacks. */
function shortOf(text: string): string {
  try {
    const { message, name, code } = JSON.parse(text) as { message?: unknown; name?: unknown; code?: unknown };
    if (typeof message === 'string' || typeof code === 'string')
      return `${name ?? 'Error'}: ${message ?? ''}${code === undefined ? '' : ` (${code})`}`.slice(
        0,
        CHARS_MAX,
      );
  } catch {
    // It is a sentence.
  }
  return text.slice(0, CHARS_MAX);
}

const CHARS_MAX = 300;
