import type { Command } from 'commander';
import { storeDriver } from '../../connect.ts';
import type { Finding } from '../../store/store.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { storeUrl } from '../session.ts';
import { counted, printable } from '../text.ts';
import { checkWaiting } from '../waiting-jobs.ts';

export const doctor: CliCommand<Options> = { define, run };

interface Options {
  readonly repair?: true;
}

function define(command: Command): void {
  command.option('--repair', 'mend what can be mended; no job is lost by it, and workers may go on');
  examples(
    command,
    'longshore doctor',
    'longshore doctor --repair',
    'longshore doctor --json || notify-somebody',
  );
}

async function run({ options, out }: Call<Options>): Promise<number> {
  const config = await loadConfig(options.config);
  const url = storeUrl(options, config);
  const driver = await storeDriver(url);
  const repair = options.repair === true;
  const findings = [checkNode(process.versions.node), ...(await driver.doctor(url, { repair }))];
  // Only of a store that is there and whole: to open another one may change it.
  if (!findings.some(isFault) && findings.some(({ check }) => check === 'workers')) {
    findings.push(...(await checkWaiting(driver, url, config.connect.encryption)));
  }
  const faults = findings.filter(isFault).length;
  if (out.json) out.document({ ok: faults === 0, findings });
  else tell(findings, out);
  return faults === 0 ? EXIT.done : EXIT.failed;
}

const MARKS = {
  ok: ['green', 'ok   '],
  note: ['yellow', 'note '],
  fault: ['red', 'FAULT'],
  repaired: ['green', 'fixed'],
} as const;

/** A fault that is still there. */
function isFault({ level, repaired }: Finding): boolean {
  return level === 'fault' && !repaired;
}

function tell(findings: readonly Finding[], out: Output): void {
  const names = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, level, detail, remedy, repaired } of findings) {
    const [format, word] = MARKS[repaired ? 'repaired' : level];
    const mark = out.paint(format, word);
    out.print(`${mark}  ${check.padEnd(names)}  ${printable(detail)}`);
    if (remedy !== null && !repaired) out.print(`${' '.repeat(names + 9)}${printable(remedy)}`);
  }
  const count = (is: (finding: Finding) => boolean): number => findings.filter(is).length;
  const faults = count(isFault);
  const notes = count(({ level, repaired }) => level === 'note' && !repaired);
  const mended = count(({ repaired }) => repaired === true);
  const repairs = mended === 0 ? '' : `${counted(mended, 'finding')} repaired. `;
  const noted = notes === 0 ? '' : ` ${counted(notes, 'note')} to look at.`;
  out.say(`${repairs}${faults === 0 ? 'Nothing is wrong.' : `${counted(faults, 'fault')} found.`}${noted}`);
}

const NODE_MIN = [22, 18] as const;

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return {
    check: 'node',
    level: ok ? 'ok' : 'fault',
    detail: `Node.js ${version}; ${NODE_MIN.join('.')} or newer is needed.`,
    remedy: ok ? null : 'Install a newer Node.js.',
  };
}
