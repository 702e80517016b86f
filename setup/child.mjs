/** Runs one child process, passing on the signals this process gets, and reports how the child ended. */
import { spawn } from 'node:child_process';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Two signals closer than this are one wish; a person is slower. */
const COPY_WINDOW_MS = 300;

/**
 * @param {string} file
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number, signal: NodeJS.Signals | null, output: string }>} `output` is empty where stdio is inherited
 */
export function runChild(file, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, options);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopForwarding();
      resolve({ code: code ?? 1, signal, output });
    });
  });
}

/**
 * A program may take a second signal for "now at once", so none is passed on twice: Ctrl-C reaches the whole
 * foreground group by itself, and npm hands down a copy of what the group got already.
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardSignals(child) {
  const forwardedAt = new Map();
  const forward = (signal) => {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    const now = performance.now();
    if (now - (forwardedAt.get(signal) ?? Number.NEGATIVE_INFINITY) < COPY_WINDOW_MS) return;
    forwardedAt.set(signal, now);
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}
