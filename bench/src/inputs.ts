/** The jobs that all measurements run: they do nothing but say that they ran. */
export interface Input {
  /** The job's number, from 0. */
  readonly n: number;
  readonly pad?: string;
}

/** Inputs whose JSON takes `bytes` bytes, or as few more as the number needs. */
export function makeInputs(jobs: number, bytes: number): Input[] {
  return Array.from({ length: jobs }, (_, n) => {
    const room = bytes - `{"n":${n},"pad":""}`.length;
    return room > 0 ? { n, pad: 'x'.repeat(room) } : { n };
  });
}
