import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Ends the child processes of a worker that was killed. A child notices by itself that its worker is gone, unless a handler
 * holds its event loop; so a shell beside the worker waits for the end of a pipe, which comes with the worker's end however
 * that comes, and kills what is left. It takes 1.6 MB, once for each worker's process; a thread in each child that
 * does the same takes 11 MB each. Where there is no /bin/sh (Windows, images without a shell), there is none.
 */
export function watchOver(pid: number): void {
  PIDS.add(pid);
  if (shell === null) shell = startShell();
  else tell(shell, `+ ${pid}\n`);
}

/** The process has ended: its number may soon be another's. */
export function watchNoMore(pid: number): void {
  if (!PIDS.delete(pid) || shell === null) return;
  tell(shell, `- ${pid}\n`);
  if (PIDS.size > 0) return;
  shell.stdin?.end();
  shell = null;
}

/** Of this worker's process. */
const PIDS = new Set<number>();

let shell: ChildProcess | null = null;

const SCRIPT = `
left=' '
while read -r sign pid; do
  case $sign$left in
    +*) left="$left$pid " ;;
    -*" $pid "*) left="\${left%% $pid *} \${left#* $pid }" ;;
  esac
done
for pid in $left; do kill -9 "$pid"; done
`;

function startShell(): ChildProcess | null {
  if (process.platform === 'win32') return null;
  const started = process.getBuiltinModule('node:child_process').spawn('/bin/sh', ['-c', SCRIPT], {
    // A session of its own: what a terminal or a supervisor sends to the worker's group does not end it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: {},
  });
  started.unref();
  (started.stdin as Socket | null)?.unref();
  // Without a shell, or when somebody ended it, there is no watch until the next process starts.
  started.stdin?.on('error', () => undefined);
  for (const event of ['error', 'exit'] as const)
    started.once(event, () => {
      if (shell === started) shell = null;
    });
  tell(started, [...PIDS].map((pid) => `+ ${pid}\n`).join(''));
  return started;
}

function tell({ stdin }: ChildProcess, lines: string): void {
  if (stdin?.writable) stdin.write(lines);
}
