/** Time and processor time of one phase of a program. */
export interface Phase {
  readonly jobs: number;
  readonly ms: number;
  /** Processor time of all threads of the process; steadier than the elapsed time on a machine that is not quiet. */
  readonly cpuMicrosPerJob: number;
  readonly perSecond: number;
}

export function startPhase(): { end(jobs: number, at?: number): Phase } {
  const cpu = process.cpuUsage();
  const began = performance.now();
  return {
    end(jobs, at = performance.now()) {
      const { user, system } = process.cpuUsage(cpu);
      const ms = at - began;
      return {
        jobs,
        ms: Math.round(ms * 100) / 100,
        cpuMicrosPerJob: Math.round(((user + system) / jobs) * 100) / 100,
        // Not in whole jobs: of those that take long there are few a second.
        perSecond: Number(((jobs / ms) * 1_000).toPrecision(6)),
      };
    },
  };
}
