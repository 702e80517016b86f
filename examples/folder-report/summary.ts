import type { FileFacts, Quantiles } from './report.ts';
import type { Summary } from './run.ts';

/** The summary as a person reads it. */
export function printSummary(summary: Summary): string {
  const { folder, jobs, here, report, ok } = summary;
  const states = Object.entries(jobs).filter(([, count]) => count > 0);
  const lines = [
    '',
    `${ok ? 'Finished' : 'Finished, with failures'}: ${folder}`,
    '',
    row('jobs', states.map(([state, count]) => `${number(count)} ${state}`).join(', ')),
    row(
      'speed',
      `${number(here.jobs)} jobs in ${here.seconds.toFixed(1)} s, ${number(Math.round(here.jobsPerSecond))} jobs/s${summary.continued ? ' (this start alone)' : ''}`,
    ),
    row('files', `${number(report.files)}, ${size(report.bytes)}, as gzip ${size(report.gzipBytes)}`),
    row('waiting', `${times(report.waitMs)}   from ready to claimed`),
    row('running', `${times(report.runMs)}   hash and compress one file`),
    ...section(
      'Largest files',
      report.largest.map((file) => fileLine(size(file.bytes), file)),
    ),
    ...section(
      'Slowest files',
      report.slowest.map((file) => fileLine(time(file.runMs), file)),
    ),
    ...section(
      'Needed several attempts',
      report.retried.map(({ what, attempts }) => `  ${what}: completed at attempt ${attempts}`),
    ),
    ...section(`Failed: ${number(report.failed)}`, failureLines(summary)),
    ...section('Not looked at', unseenLines(summary)),
    ...section('Look further', commandLines(summary)),
  ];
  return `${lines.join('\n')}\n`;
}

function failureLines({ report }: Summary): string[] {
  const lines = report.failures.map(
    ({ what, state, attempts, reason, deliberate }) =>
      `  ${deliberate ? 'the one meant to fail' : what}: ${state} at attempt ${attempts}. ${reason}`,
  );
  if (report.failed > lines.length) lines.push(`  and ${number(report.failed - lines.length)} more`);
  return lines;
}

function unseenLines({ report }: Summary): string[] {
  const lines = report.closed.map(({ path, reason }) => `  ${path}: ${reason}`);
  if (report.others > 0) lines.push(`  ${number(report.others)} symbolic links, sockets or devices`);
  if (report.missing > 0)
    lines.push(`  ${number(report.missing)} files whose jobs were removed from the store`);
  return lines;
}

function commandLines({ store, queue, report }: Summary): string[] {
  const run = 'npm run -s longshore --';
  const [failure] = report.failures;
  const looks = [
    `  ${run} queues --store ${store}`,
    `  ${run} jobs --store ${store} --queue ${queue} --state failed`,
    ...(failure === undefined ? [] : [`  ${run} job ${failure.id} --store ${store}`]),
  ];
  return [...looks, '  and all of it on a page, in a browser:', `  ${run} dashboard --store ${store}`];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(8)} ${value}`;
}

function fileLine(figure: string, { path }: FileFacts): string {
  return `  ${figure.padStart(10)}  ${path}`;
}

function times({ p50, p95, p99 }: Quantiles): string {
  return `p50 ${time(p50)}, p95 ${time(p95)}, p99 ${time(p99)}`;
}

function time(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${(bytes / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
