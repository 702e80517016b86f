/** This process's end of a watchdog: see watchdog.mjs. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WATCHDOG = fileURLToPath(new URL('./watchdog.mjs', import.meta.url));

export class Guard {
  #child;

  /** @param {string} folder deleted when this process ends without `dismiss` */
  constructor(folder) {
    this.#child = spawn(process.execPath, [WATCHDOG, folder], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.stdin.on('error', () => {});
    // The watchdog waits for this process, not the other way round.
    this.#child.unref();
    this.#child.stdin.unref();
  }

  /** @param {number} pid @param {NodeJS.Signals} signal ends it fast and leaves nothing behind */
  watch(pid, signal) {
    this.#tell({ watch: pid, signal });
  }

  /** @param {number | undefined} pid of a process that is gone: another one may get its number */
  forget(pid) {
    if (pid !== undefined) this.#tell({ forget: pid });
  }

  /** @param {string} name */
  watchContainer(name) {
    this.#tell({ container: name });
  }

  /** Everything was ended in order. */
  dismiss() {
    this.#tell({ dismiss: true });
    this.#child.stdin.end();
  }

  /** Leaves what there is to the watchdog, now. */
  abandon() {
    this.#child.stdin.end();
  }

  #tell(message) {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}
