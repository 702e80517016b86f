/**
 * The memory of a process with a worker, idle and then at work: `resident <url> <idle ms> <jobs>`. Nothing is imported before
 * it is measured but what a user's program imports: no message channel, not even node:fs by name, which takes 2 MB.
 * It prints a line when the worker was idle for so long, and another when it has run the jobs that its parent sends then.
 */
const [url = '', idleMs = '0', jobsText = '1'] = process.argv.slice(2);
const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
const jobs = Number(jobsText);

const { connect, defineTask } = await import('../longshore.ts');
const longshore = await connect(url);
const runs = new Uint8Array(jobs);
let mostBytes = 0;
const look = (): void => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
};
const task = defineTask({
  name: 'noop',
  run: ({ input }) => {
    const { n } = input as { readonly n: number };
    runs[n] = (runs[n] ?? 0) + 1;
  },
});
const worker = longshore.worker({ tasks: [task] });
await worker.start();
await new Promise((resolve) => setTimeout(resolve, Number(idleMs)));
say({ residentBytes: process.memoryUsage.rss(), ownBytes: ownBytes() } satisfies IdleMemory);

const looking = setInterval(look, 10);
let changedAt = performance.now();
let before = -1;
while (worker.tally.completed < jobs && performance.now() - changedAt < 20_000) {
  if (worker.tally.completed !== before) changedAt = performance.now();
  before = worker.tally.completed;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
look();
clearInterval(looking);
const missing = runs.filter((times) => times === 0).length;
const repeated = runs.filter((times) => times > 1).length;
say({ mostBytes, missing, repeated } satisfies BusyMemory);
await worker.stop();
await longshore.close();

/** What lies in no file: heaps and stacks. Null where the system does not tell. */
function ownBytes(): number | null {
  if (process.platform !== 'linux') return null;
  const kib = /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return kib === undefined ? null : Number(kib) * 1_024;
}

function say(line: IdleMemory | BusyMemory): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

export interface IdleMemory {
  readonly residentBytes: number;
  readonly ownBytes: number | null;
}

export interface BusyMemory {
  /** The most that was seen, every 10 ms. */
  readonly mostBytes: number;
  readonly missing: number;
  readonly repeated: number;
}
