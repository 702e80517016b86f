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

/** Settings as they are recorded: documents are kept and shown, so a server's URL stands in them without what is secret. */
export function recorded<Settings extends object>(settings: Settings): Settings {
  const { url } = settings as { readonly url?: unknown };
  return typeof url === 'string' ? { ...settings, url: withoutSecrets(url) } : settings;
}

/** What was typed after `npm run -s bench --`, without what is secret: URLs stand alone or behind the `=` of an option. */
export function recordedArguments(argv: readonly string[]): string[] {
  return argv.slice(argv[2] === 'bench' ? 3 : 2).map((argument) => {
    const [, option = '', url] = /^(--[\w-]+=)?(\w[\w+.-]*:\/\/.*)$/s.exec(argument) ?? [];
    return url === undefined ? argument : option + withoutSecrets(url);
  });
}

/** Options after the `?` may hold a password, too; a URL that cannot be read may hold it anywhere. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return '(not shown)';
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  for (const name of shown.searchParams.keys())
    if (/pass|secret|token/i.test(name)) shown.searchParams.set(name, '***');
  return shown.href;
}
