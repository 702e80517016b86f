import type { Finding, MigrationReport, StoreDriver } from '../store.ts';
import { Channel } from './channel.ts';
import { openStore } from './open.ts';
import type { Errand } from './protocol.ts';
import { fileOf } from './url.ts';

/**
 * The embedded store: `sqlite:jobs.db` is one SQLite file, used by any number of processes of one machine.
 *
 * In the data path it stands behind the contract (store.ts). A call goes from the caller (open.ts, channel.ts) to the
 * store thread (thread.ts), which gathers calls into one transaction (transact.ts) of verbs (verbs.ts; a file each).
 * Wake-ups between processes: wake.ts and notifier.ts. The layout: migrations/. Only the thread may touch the file,
 * and it runs no handler. Errors name the file and a remedy (errors.ts).
 */
export const sqliteDriver: StoreDriver = {
  open: (url, options) => openStore(url, options),
  migrate: (url, { dryRun }) => run<MigrationReport>(url, dryRun ? 'plan' : 'migrate'),
  doctor: (url, { repair } = { repair: false }) => run<Finding[]>(url, repair ? 'repair' : 'doctor'),
};

/** Does one errand on a thread of its own, since it may read the whole file. */
async function run<Result>(url: string, kind: Errand['kind']): Promise<Result> {
  const channel = new Channel({ kind, file: fileOf(url), instance: '', hooks: null });
  return channel.done<Result>();
}
