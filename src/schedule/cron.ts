import type { Cron } from 'croner';
import { optionInvalid } from '../core/errors.ts';
import type { CronTicks } from '../core/schedule/ticks.ts';

/**
 * Cron expressions by croner (docs/adr/0019-cron-library.md says why that one). Loaded when a schedule is decided on or set,
 * so that a program without schedules does not load it.
 */
export async function loadCron(): Promise<CronLibrary> {
  library ??= import('croner').then(({ Cron }) => new CronLibrary(Cron));
  return library;
}

let library: Promise<CronLibrary> | undefined;

interface CronSpec {
  readonly expression: string;
  readonly zone: string;
}

const PARSED_MAX = 1_000;

export class CronLibrary implements CronTicks {
  readonly #Cron: typeof Cron;
  /** By zone and expression. */
  readonly #parsed = new Map<string, Cron>();

  constructor(library: typeof Cron) {
    this.#Cron = library;
  }

  after(cron: CronSpec, time: number): number | null {
    return this.#parse(cron).nextRun(new Date(time))?.getTime() ?? null;
  }

  before(cron: CronSpec, time: number, count: number): number[] {
    const runs = this.#parse(cron).previousRuns(count, new Date(time));
    return runs.map((run) => run.getTime()).reverse();
  }

  /** Throws OPTION_INVALID for what is no expression, and for one that never fires after `now`. */
  requireExpression(field: string, expression: unknown, zone: string, now: number): string {
    // The library would also take a date, and a seventh field for years.
    if (typeof expression !== 'string' || !EXPRESSION.test(expression))
      throw optionInvalid(
        field,
        expression,
        "five fields (minute, hour, day of month, month, day of week), six with seconds first, or a name such as '@daily'",
      );
    const text = expression.trim().replaceAll(/\s+/g, ' ');
    let tick: number | null;
    try {
      tick = this.after({ expression: text, zone }, now);
    } catch (error) {
      throw optionInvalid(field, expression, `a cron expression: ${reasonOf(error)}`);
    }
    if (tick === null)
      throw optionInvalid(field, expression, 'an expression that fires: this one never does');
    return text;
  }

  #parse({ expression, zone }: CronSpec): Cron {
    const key = `${zone} ${expression}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    if (this.#parsed.size >= PARSED_MAX) this.#parsed.clear();
    const parsed = new this.#Cron(expression, {
      timezone: zone,
      mode: '5-or-6-parts',
      // A time in the spring gap fires at its end, one that comes twice in autumn once, also in lists: Vixie's rule.
      fixedTimeRule: 'no-wildcard',
      paused: true,
    });
    this.#parsed.set(key, parsed);
    return parsed;
  }
}

const EXPRESSION = /^\s*(@[a-z]+|[^\s@]+(\s+[^\s@]+){4,5})\s*$/i;

/** Throws OPTION_INVALID unless it is an IANA zone that this Node knows. */
export function requireZone(field: string, zone: unknown): string {
  if (typeof zone === 'string' && /^[A-Za-z]/.test(zone)) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone }).format();
      return zone;
    } catch {
      // Falls through to the one error.
    }
  }
  throw optionInvalid(field, zone, "an IANA time zone such as 'Europe/Zurich' or 'UTC'");
}

function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/^Cron\w+: /, '');
}
