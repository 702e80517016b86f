import { counted, type Output, wrapped } from './cli.ts';
import type { Figures } from './figures.ts';
import type { HotFunction } from './hot-functions.ts';
import type { ProfileReport } from './profile.ts';
import { cellColumns, inOrder } from './table.ts';
import { msText, percentText, rateText } from './words.ts';

/** The result on the terminal: the cells, what to use and why, what to paste, and the hottest functions. */
export function printReport(figures: Figures, out: Output): void {
  const { task, cells, recommendation, leftOut, cutShort, interruptedAt, profile } = figures;
  const width = Math.min(process.stdout.columns ?? WIDTH_MAX, WIDTH_MAX);
  const paragraph = (text: string): void => out.print(wrapped(text, width, '  '));
  const title = (text: string): void => out.print(`\n${out.paint('bold', text)}`);
  out.table(cellColumns(recommendation), inOrder(cells));
  out.print(out.paint('dim', wrapped(LEGEND, width)));
  const { strategy, concurrency, jobsPerSecond, p99Ms, caution, why, paste } = recommendation;
  const figuresText = `${rateText(jobsPerSecond)} jobs/s, p99 ${msText(p99Ms)}`;
  title(`Use for ${task}: ${strategy}, ${concurrency} at a time (${figuresText})`);
  if (caution !== null) out.print(out.paint('yellow', wrapped(caution, width, '  ')));
  for (const sentence of why) paragraph(sentence);
  for (const { strategy: name, why: reason } of leftOut) paragraph(`Left out: ${name}, since ${reason}`);
  if (interruptedAt !== null)
    paragraph(
      `Interrupted at ${interruptedAt}: that, and what would have come after it, is left out, so something faster may have been missed.`,
    );
  else if (cutShort) paragraph('The time was over before everything was tried; --time 10m gives it more.');
  title('Paste');
  out.print(`  ${paste.code}`);
  out.print(`  $ ${paste.shell}`);
  if (profile !== null) printProfile(profile, title, out);
  const jobs = cells.reduce((sum, { counts }) => sum + counts.completed, 0);
  out.print(`\n${counted(jobs, 'job')} in ${counted(cells.length, 'cell')}; each ran exactly once.`);
}

function printProfile(
  { folder, files, hottest }: ProfileReport,
  title: (text: string) => void,
  out: Output,
): void {
  title('Hottest functions, by their own time');
  out.table<HotFunction>(
    [
      { title: 'SHARE', value: ({ share }) => percentText(share), align: 'right' },
      { title: 'FUNCTION', value: ({ name }) => name, flexible: true },
      { title: 'WHERE', value: ({ place }) => place, flexible: true },
      { title: 'CALLED FROM', value: ({ calledFrom }) => calledFrom ?? '', flexible: true },
    ],
    hottest,
  );
  out.print(`${counted(files.length, 'file')} for Chrome's DevTools in ${folder}: ${files.join(', ')}`);
}

const WIDTH_MAX = 100;
const LEGEND =
  'RUN: from the start of a job to its end. ~: fewer than ten samples beyond it. CORES: kept busy by the worker, its threads and its processes. LOOP: how late its event loop was, p99.';
