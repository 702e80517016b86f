import { Durations } from '../histogram.ts';
import type { LoopDelay } from '../loop-delay.ts';
import { round, spread } from '../spread.ts';
import { CATALOGUE } from '../workloads/catalogue.ts';
import type { EndRecord, ProcessUse, RunRecord, StartRecord } from '../workloads/run-log.ts';
import type { Percentiles, ScenarioRun, Statistics } from './scenario.ts';
import type { Findings, Verdict } from './verify.ts';

/** The figures of one run. */
export function figures(
  { report, records, workload, amounts }: Findings,
  { completed, redeliveries, leaseLosses }: Verdict,
): ScenarioRun {
  const starts = firstStarts(records);
  const ends = records.filter((record): record is EndRecord => record.type === 'end');
  const totalSeconds = (report.finishedAt - report.startedAt) / 1_000;
  const children = childrenOf(ends, report.finishedAt);
  return {
    totalSeconds: round(totalSeconds),
    jobsPerSecond: round(completed / totalSeconds),
    completed,
    redeliveries,
    leaseLosses,
    waitMs: percentiles([...starts.values()].map(({ at }) => at - report.startedAt)),
    runMs: percentiles(runTimes(records)),
    eventLoopDelayMs: loopDelay(report.eventLoopDelayMs),
    cpuSeconds: round((report.cpuMicros + children.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)) / 1e6),
    memoryMb: {
      before: megabytes(report.bytesBefore),
      peak: megabytes(report.peakBytes),
      childrenPeak: megabytes(peakTogether(children)),
    },
    lanes: countBy([...starts.values()], ({ lane }) => lane),
    work: { unit: CATALOGUE[workload].unit, amount: amounts.reduce((sum, amount) => sum + amount, 0) },
    endedSeconds: ends.map(({ at }) => round((at - report.startedAt) / 1_000)).sort((a, b) => a - b),
    choices: report.choices,
  };
}

export function statistics(values: readonly number[]): Statistics {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const deviation = values.length < 2 ? null : round(Math.sqrt(squares / (values.length - 1)));
  return { ...spread(values), average: round(average), deviation };
}

function firstStarts(records: readonly RunRecord[]): Map<number, StartRecord> {
  const starts = new Map<number, StartRecord>();
  for (const record of records)
    if (record.type === 'start' && !starts.has(record.n)) starts.set(record.n, record);
  return starts;
}

/** From each start to the end that followed it. */
function runTimes(records: readonly RunRecord[]): number[] {
  const began = new Map<number, number>();
  const times: number[] = [];
  for (const { type, n, at } of records) {
    if (type === 'start') began.set(n, at);
    else times.push(at - (began.get(n) ?? at));
  }
  return times;
}

function percentiles(valuesMs: Iterable<number>): Percentiles {
  const { p50, p95, p99, max, samples, weak } = new Durations(valuesMs).summary();
  return { p50, p95, p99, max, samples, weak: weak.filter((name) => name !== 'p999') };
}

function loopDelay(delay: LoopDelay): Percentiles {
  const weak = SHARES_BEYOND.filter(([, share]) => delay.samples * share < BEYOND_MIN).map(([name]) => name);
  return { ...delay, weak };
}

const BEYOND_MIN = 10;
const SHARES_BEYOND = [
  ['p50', 0.5],
  ['p95', 0.05],
  ['p99', 0.01],
] as const;

/**
 * Each process once, by its last word: hosts of the process lane tell at the end of each job. They live on after their
 * last, until the worker stops.
 */
function childrenOf(ends: readonly EndRecord[], finishedAt: number): ProcessUse[] {
  const hosts = new Map<number, ProcessUse>();
  for (const { host } of ends) if (host !== null) hosts.set(host.pid, { ...host, endedAt: finishedAt });
  return [...hosts.values(), ...ends.flatMap(({ child }) => (child === null ? [] : [child]))];
}

function peakTogether(processes: readonly ProcessUse[]): number {
  const changes = processes.flatMap(({ startedAt, endedAt, peakBytes }) => [
    { at: startedAt, bytes: peakBytes },
    { at: endedAt, bytes: -peakBytes },
  ]);
  let [now, most] = [0, 0];
  for (const { bytes } of changes.sort((a, b) => a.at - b.at)) {
    now += bytes;
    most = Math.max(most, now);
  }
  return most;
}

function countBy<Item>(items: readonly Item[], key: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

function megabytes(bytes: number): number {
  return round(bytes / 2 ** 20);
}
