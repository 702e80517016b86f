/** One server as a process, with a watchdog that ends it when the process which started it is gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants, isRunning } from './descendants.mjs';
import { freePort } from './free-port.mjs';

const POLL_MS = 10;
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;

const KILL_TIMEOUT_MS = 500;

/** Somebody may take a free port between the look for it and its use. */
const TRIES = 5;

/**
 * @typedef {object} Plan
 * @property {string} name for messages
 * @property {string} folder holds everything the server writes; deleted by `stop`
 * @property {(port: number) => string} url
 * @property {(port: number) => { file: string, args: string[] }} command
 * @property {(port: number, pid: number | undefined) => boolean | Promise<boolean>} isReady
 * @property {number} [startTimeoutMs] default: 60,000
 * @property {NodeJS.Signals} endSignal ends the server in order
 * @property {NodeJS.Signals} dropSignal ends it fast; its data are not needed any more
 * @property {import('./unprivileged.mjs').User | undefined} user runs the server; undefined for the current one
 * @property {import('./guard.mjs').Guard} guard
 */

/** A running server. */
export class Server {
  /** @type {Plan} */
  #plan;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #port;
  #referenced = true;

  /** @param {Plan} plan @param {number} port */
  constructor(plan, port) {
    this.#plan = plan;
    this.#port = port;
  }

  /**
   * @param {Plan} plan
   * @param {number | undefined} port
   * @returns {Promise<Server>} once it takes connections
   */
  static async start(plan, port) {
    for (let tried = 1; ; tried++) {
      const server = new Server(plan, port ?? (await freePort()));
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.kill();
        if (port === undefined && tried < TRIES && /already in use/i.test(error.message)) continue;
        await server.stop();
        throw error;
      }
    }
  }

  /** @returns {string} */
  get url() {
    return this.#plan.url(this.#port);
  }

  /** @returns {number} */
  get port() {
    return this.#port;
  }

  /** Of the server's main process. @returns {number | undefined} undefined while it does not run */
  get pid() {
    return this.#child?.pid;
  }

  /** Everything the server writes, its data too. @returns {string} */
  get folder() {
    return this.#plan.folder;
  }

  /** What the server has written to its log. @returns {string} */
  get log() {
    return readFileSync(join(this.#plan.folder, 'log'), 'utf8');
  }

  /** As a power cut: the server and its own processes are gone at once; the data stay for `restart`. */
  async kill() {
    const child = this.#child;
    if (child === undefined) return;
    const own = descendants(child.pid);
    for (const pid of [child.pid, ...own]) send(pid, 'SIGKILL');
    await this.#ended(child);
    // PostgreSQL does not start again while one of them still holds the shared memory.
    const deadline = performance.now() + KILL_TIMEOUT_MS;
    while (own.some(isRunning) && performance.now() < deadline) await delay(POLL_MS);
  }

  /** Ends the server in order, unless it is gone already, and starts it again on the same port and data. */
  async restart() {
    await this.#end(this.#plan.endSignal);
    await this.#launch();
  }

  /** The server and its processes stand still: connections stay open, and nothing answers. */
  pause() {
    const pid = this.#child?.pid;
    if (pid !== undefined) for (const each of [pid, ...descendants(pid)]) send(each, 'SIGSTOP');
  }

  resume() {
    const pid = this.#child?.pid;
    if (pid !== undefined) for (const each of [pid, ...descendants(pid)]) send(each, 'SIGCONT');
  }

  /** Ends the server and deletes its data. Idempotent. */
  async stop() {
    await this.#end(this.#plan.dropSignal);
    rmSync(this.#plan.folder, { recursive: true, force: true, maxRetries: 5 });
    this.#plan.guard.dismiss();
  }

  /** Lets this process end while the server runs, which then ends too. */
  unref() {
    this.#referenced = false;
    this.#child?.unref();
  }

  async #launch() {
    const { folder, user, command, guard, isReady, dropSignal } = this.#plan;
    const { file, args } = command(this.#port);
    const log = openSync(join(folder, 'log'), 'a');
    // A group of its own: Ctrl-C in a terminal reaches whoever started the server, and that one ends it.
    const options = { cwd: folder, detached: true, stdio: ['ignore', log, log] };
    const child = spawn(file, args, { ...options, ...user });
    closeSync(log);
    this.#child = child;
    child.once('error', () => {});
    child.once('exit', () => {
      this.#child = undefined;
      guard.forget(child.pid);
    });
    if (child.pid === undefined) this.#child = undefined;
    else guard.watch(child.pid, dropSignal);
    if (!this.#referenced) child.unref();
    await this.#ready(() => isReady(this.#port, child.pid));
  }

  /** @param {() => boolean | Promise<boolean>} isReady */
  async #ready(isReady) {
    const { name, startTimeoutMs = START_TIMEOUT_MS } = this.#plan;
    const deadline = performance.now() + startTimeoutMs;
    while (!(await isReady())) {
      if (this.#child === undefined) throw new Error(`${name} ended while it started. Its log:\n${this.log}`);
      if (performance.now() > deadline)
        throw new Error(`${name} did not start in ${startTimeoutMs} ms. Its log:\n${this.log}`);
      await delay(POLL_MS);
    }
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#child;
    if (child === undefined) return;
    this.resume();
    send(child.pid, signal);
    const late = setTimeout(() => this.kill(), END_TIMEOUT_MS);
    await this.#ended(child);
    clearTimeout(late);
  }

  /** @param {import('node:child_process').ChildProcess} child */
  async #ended(child) {
    child.ref();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
