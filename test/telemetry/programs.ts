import type { TestContext } from 'node:test';
import { startJaeger } from '../../setup/services/jaeger.mjs';
import { builtJaeger, JAEGER_MISSING, jaegerProgram } from '../../setup/services/jaeger-program.mjs';
import { startPrometheus } from '../../setup/services/prometheus.mjs';
import { PROMETHEUS_MISSING, prometheusProgram } from '../../setup/services/prometheus-program.mjs';

/** The real programs that read what Longshore tells of itself. Tests without one are skipped, with a line that says how to get it. */

/** Fetched where the package archive can be reached; continuous integration has it. */
export async function programOf(
  t: TestContext,
  name: Parameters<typeof prometheusProgram>[0],
): Promise<string | null> {
  const program = await prometheusProgram(name);
  if (program !== undefined) return program;
  if (process.env.CI) throw new Error(PROMETHEUS_MISSING);
  t.skip(PROMETHEUS_MISSING);
  return null;
}

export interface Prometheus {
  readonly url: string;
  /** What an expression gives now, as the API answers. */
  query(expression: string): Promise<readonly Series[]>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** Scrapes these targets every second. */
export async function prometheusFor(t: TestContext, targets: readonly string[]): Promise<Prometheus | null> {
  if ((await programOf(t, 'prometheus')) === null) return null;
  const server = await startPrometheus({ targets });
  t.after(() => server.stop());
  return { url: server.url, query: (expression) => query(server.url, expression) };
}

async function query(url: string, expression: string): Promise<readonly Series[]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const answer = (await response.json()) as { status: string; error?: string; data: { result: Series[] } };
  if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
  return answer.data.result;
}

export interface Jaeger {
  /** Where exporters send spans. */
  readonly collector: string;
  /** Spans with this tag, in whichever trace. */
  spans(tag: string, value: string): Promise<readonly JaegerSpan[]>;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  /** Microseconds. */
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly {
    readonly refType: string;
    readonly traceID: string;
    readonly spanID: string;
  }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly logs: readonly { readonly fields: readonly { readonly key: string; readonly value: unknown }[] }[];
}

/** On the PATH or built before; continuous integration builds it. */
export async function jaegerFor(t: TestContext): Promise<Jaeger | null> {
  if (process.env.CI) await builtJaeger();
  if (jaegerProgram() === undefined) {
    t.skip(JAEGER_MISSING);
    return null;
  }
  const { server, collector } = await startJaeger();
  t.after(() => server.stop());
  return { collector, spans: (tag, value) => spans(server.url, tag, value) };
}

async function spans(url: string, tag: string, value: string): Promise<readonly JaegerSpan[]> {
  const tags = encodeURIComponent(JSON.stringify({ [tag]: value }));
  const response = await fetch(
    `${url}/api/traces?service=longshore-test&tags=${tags}&limit=1000&lookback=1h`,
  );
  const { data, errors } = (await response.json()) as {
    data: { spans: JaegerSpan[] }[] | null;
    errors: unknown;
  };
  if (errors !== null && errors !== undefined) throw new Error(JSON.stringify(errors));
  return (data ?? []).flatMap((trace) => trace.spans);
}

export function tagOf({ tags }: JaegerSpan, key: string): unknown {
  return tags.find((tag) => tag.key === key)?.value;
}
