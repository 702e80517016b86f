/**
 * Ends what a process started when that process is gone: killed, crashed, or its terminal closed.
 *
 * It reads messages from the pipe that is its standard input. Only the process it watches over has the other end, so
 * the pipe closes with that process, whatever the reason. It runs in a session of its own, where no signal of the
 * terminal reaches it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants } from './descendants.mjs';

const END_TIMEOUT_MS = 3_000;
const POLL_MS = 20;

const [, , folder] = process.argv;
/** @type {Map<number, NodeJS.Signals>} */
const processes = new Map();
/** @type {string[]} */
const containers = [];
let dismissed = false;

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.watch !== undefined) processes.set(message.watch, message.signal);
  if (message.forget !== undefined) processes.delete(message.forget);
  if (message.container !== undefined) containers.push(message.container);
  if (message.dismiss) dismissed = true;
}

if (!dismissed) {
  await Promise.all([...processes].map(([pid, signal]) => end(pid, signal)));
  for (const name of containers) removeContainer(name);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** @param {number} pid @param {NodeJS.Signals} signal */
async function end(pid, signal) {
  const all = [pid, ...descendants(pid)];
  // A process that stands still takes no signal but this one.
  for (const each of all) send(each, 'SIGCONT');
  send(pid, signal);
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (send(pid, 0) && performance.now() < deadline) await delay(POLL_MS);
  for (const each of all) send(each, 'SIGKILL');
}

/** @returns {boolean} whether there was such a process */
function send(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function removeContainer(name) {
  try {
    execFileSync('docker', ['rm', '--force', '--volumes', name], { stdio: 'ignore' });
  } catch {
    // Gone already, or the daemon is.
  }
}
