/** A line of a slate: the number of the job, microseconds in its handler, and its result, if it has one. JSON text has no line breaks. */
export function slateLine(job: number, ranMs: number, result: string | null): string {
  return `${job} ${Math.round(ranMs * 1_000)} ${result ?? ''}\n`;
}

export interface SlateResult {
  readonly job: number;
  readonly ranMs: number;
  readonly result: string | null;
}

export function readSlateLine(line: string): SlateResult {
  const afterJob = line.indexOf(' ');
  const afterTime = line.indexOf(' ', afterJob + 1);
  return {
    job: Number(line.slice(0, afterJob)),
    ranMs: Number(line.slice(afterJob + 1, afterTime)) / 1_000,
    result: afterTime + 1 === line.length ? null : line.slice(afterTime + 1),
  };
}
