import { type HostSlate, type PoolSlate, SLATE_BYTES } from './slate.ts';

/**
 * The slate of a process, where no memory can be shared: two files without a name, which the process inherits.
 *
 * Both have the first one open by one and the same description, and so share its offset, which a read moves in one step
 * with taking the bytes before it (`read` of POSIX; Linux holds a lock for it): each byte is read once, whoever reads it.
 * The pool lets k jobs begin by making the file k bytes longer, the host takes one off by reading a byte, and the pool
 * takes back what is left by reading that. The file is one hole, and takes no room on a disk.
 *
 * The second file has the lines. The host writes each at a place of its own, and a reader sees no byte beyond the end
 * that is not written yet.
 */
export class PoolFileSlate implements PoolSlate {
  /** For the process to inherit. */
  readonly descriptors: readonly [early: number, lines: number];
  readonly #bytes = Buffer.allocUnsafe(SLATE_BYTES);
  #granted = 0;
  #read = 0;

  constructor(descriptors: readonly [number, number]) {
    this.descriptors = descriptors;
  }

  open(early: number): void {
    const [beginnings, lines] = this.descriptors;
    if (this.#read > 0) fs().ftruncateSync(lines, 0);
    this.#read = 0;
    this.#granted += early;
    fs().ftruncateSync(beginnings, this.#granted);
  }

  takeBack(): number {
    let jobs = 0;
    for (;;) {
      const taken = fs().readSync(this.descriptors[0], this.#bytes, 0, SLATE_BYTES, null);
      if (taken === 0) return jobs;
      jobs += taken;
    }
  }

  /** A line that is not whole yet stays for the next time. */
  read(): string {
    const bytes = fs().readSync(this.descriptors[1], this.#bytes, 0, SLATE_BYTES, this.#read);
    const end = this.#bytes.subarray(0, bytes).lastIndexOf('\n') + 1;
    this.#read += end;
    return this.#bytes.toString('utf8', 0, end);
  }

  close(): void {
    for (const descriptor of this.descriptors) fs().closeSync(descriptor);
  }
}

export class HostFileSlate implements HostSlate {
  readonly #descriptors: readonly [number, number];
  readonly #byte = Buffer.allocUnsafe(1);
  #written = 0;

  constructor(descriptors: readonly [number, number]) {
    this.#descriptors = descriptors;
  }

  open(): void {
    this.#written = 0;
  }

  begin(): boolean {
    return fs().readSync(this.#descriptors[0], this.#byte, 0, 1, null) === 1;
  }

  write(line: string): boolean {
    const bytes = Buffer.byteLength(line);
    if (this.#written + bytes > SLATE_BYTES) return false;
    try {
      if (fs().writeSync(this.#descriptors[1], line, this.#written) === bytes) {
        this.#written += bytes;
        return true;
      }
      // The disk has become full on the way. The next line must not be read together with a part of this one.
      fs().ftruncateSync(this.#descriptors[1], this.#written);
    } catch {
      // The disk is full.
    }
    return false;
  }
}

/** Null where there is none: on systems that were not tried, or without a folder to write in. Then a process gets one job at a time. */
export function openFileSlate(): PoolFileSlate | null {
  if (process.platform !== 'linux') return null;
  for (const folder of ['/dev/shm', process.getBuiltinModule('node:os').tmpdir()]) {
    const descriptors: number[] = [];
    try {
      for (const part of [0, 1]) descriptors.push(openWithoutName(`${folder}/longshore-${unique()}-${part}`));
      return new PoolFileSlate(descriptors as [number, number]);
    } catch {
      for (const descriptor of descriptors) fs().closeSync(descriptor);
    }
  }
  return null;
}

function openWithoutName(path: string): number {
  const descriptor = fs().openSync(path, 'wx+', 0o600);
  fs().unlinkSync(path);
  return descriptor;
}

let last = 0;

function unique(): string {
  last += 1;
  return `${process.pid}-${last}-${Math.random().toString(36).slice(2)}`;
}

/** An import of it takes 2.5 MB, of a worker that may never need this. */
function fs(): typeof import('node:fs') {
  return process.getBuiltinModule('node:fs');
}
