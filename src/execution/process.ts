import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type HostLine, type HostListener, heapMiB, hostProgram } from './host-starter.ts';
import { inherited } from './inherited.ts';
import type { FromHost, HostSettings, ProcessData } from './protocol.ts';
import { openFileSlate, type PoolFileSlate } from './slate-files.ts';
import { currentFolder, STARTED_IN } from './started-in.ts';
import { watchNoMore, watchOver } from './watchdog.ts';

/** Starts a host that is a child process. It never keeps this process alive by itself, and ends with it. */
export function startProcess(settings: HostSettings, listener: HostListener): HostLine {
  const slate = openFileSlate();
  const child = forkWith(slate, settings);
  child.unref();
  if (child.pid !== undefined) watchOver(child.pid);
  child.channel?.unref();
  const lastWords = passOn(child);
  child.on('message', (message) => listener.onMessage(message as FromHost | string));
  whenEnded(child, (exitCode, signal, error) => {
    const outOfMemory = OUT_OF_MEMORY.test(lastWords());
    listener.onEnd({ exitCode, signal, outOfMemory, error });
  });
  return {
    id: child.pid ?? 0,
    slate,
    // What cannot be sent any more is answered by the end of the process.
    post: (message) => void (child.connected && child.send(message, () => undefined)),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Throws what the system says against another process. */
function forkWith(slate: PoolFileSlate | null, settings: HostSettings): ChildProcess {
  const data: ProcessData = { settings, hasSlate: slate !== null, folder: currentFolder() };
  try {
    // Loaded with the first process: an import takes memory of every worker, and few have processes.
    return process
      .getBuiltinModule('node:child_process')
      .fork(fileURLToPath(hostProgram('process')), [JSON.stringify(data)], {
        execArgv: [...inherited(process.execArgv), ...heapFlag(settings.heapBytesMax)],
        // Node reads its flags here; process-main.ts then changes to `data.folder`.
        ...(STARTED_IN !== null && isFolder(STARTED_IN) ? { cwd: STARTED_IN } : {}),
        // Errors keep dates, maps and the like in their properties.
        serialization: 'advanced',
        stdio: [
          'ignore',
          settings.printTo === 'stderr' ? 2 : 'inherit',
          'pipe',
          'ipc',
          ...(slate?.descriptors ?? []),
        ],
      });
  } catch (error) {
    slate?.close();
    throw error;
  }
}

/** V8 ends a process that is out of heap as abort() would; only what it writes tells the two apart. */
const OUT_OF_MEMORY = /JavaScript heap out of memory|Allocation failed/;
const LAST_WORDS_CHARS = 4_000;

/** Hands on what the process writes to standard error. Returns a look at the end of it. */
function passOn(child: ChildProcess): () => string {
  let text = '';
  const pipe = child.stderr as Socket | null;
  pipe?.unref();
  pipe?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    text = (text + chunk.toString('latin1')).slice(-LAST_WORDS_CHARS);
  });
  return () => text;
}

/** The exit may be told before the last messages and lines are read; but what the process left behind may hold its pipes open. */
const LAST_READ_MS = 500;

function whenEnded(
  child: ChildProcess,
  ended: (exitCode: number | null, signal: string | null, error: unknown) => void,
): void {
  let over = false;
  const end = (exitCode: number | null, signal: string | null, error: unknown): void => {
    if (over) return;
    over = true;
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
    ended(exitCode, signal, error);
  };
  child.once('error', (error) => {
    if (child.pid === undefined) end(null, null, error);
  });
  child.once('exit', (exitCode, signal) => {
    watchNoMore(child.pid as number);
    const timer = setTimeout(end, LAST_READ_MS, exitCode, signal, null);
    child.once('close', () => {
      clearTimeout(timer);
      end(exitCode, signal, null);
    });
  });
}

function heapFlag(bytes: number | null): string[] {
  return bytes === null ? [] : [`--max-old-space-size=${heapMiB(bytes)}`];
}

function isFolder(path: string): boolean {
  return (
    process.getBuiltinModule('node:fs').statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  );
}
