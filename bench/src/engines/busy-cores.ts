import { cpus } from 'node:os';

/** How much of the machine's processor time was used, 0 to 1, from one look to the next. */
export class BusyCores {
  #last = times();

  share(): number {
    const now = times();
    const [busy, all] = [now.busy - this.#last.busy, now.all - this.#last.all];
    this.#last = now;
    return all === 0 ? 0 : busy / all;
  }
}

function times(): { readonly busy: number; readonly all: number } {
  let [busy, all] = [0, 0];
  for (const { times: core } of cpus()) {
    const total = core.user + core.nice + core.sys + core.irq + core.idle;
    all += total;
    busy += total - core.idle;
  }
  return { busy, all };
}
