import type { ProcessData, ToHost } from './protocol.ts';
import { Resident } from './resident.ts';
import { HostFileSlate } from './slate-files.ts';

/** The program of a host that is a process. Its settings come as the first argument. */
const { settings, hasSlate, folder } = JSON.parse(process.argv[2] as string) as ProcessData;
if (folder !== null) process.chdir(folder);
/** Behind standard input and output and the channel for messages. */
const SLATE_DESCRIPTORS = [4, 5] as const;
const send = (process.send as NonNullable<typeof process.send>).bind(process);
const exit = process.exit.bind(process);
let posted = 0;
let onSent: (() => void) | null = null;

const resident = new Resident(
  {
    post: (message) => {
      posted += 1;
      send(message, undefined, undefined, sent);
    },
    exit: (code) => {
      onSent = () => exit(code);
      if (posted === 0) onSent();
    },
    slate: hasSlate ? new HostFileSlate(SLATE_DESCRIPTORS) : null,
  },
  settings,
);
process.on('message', (message: ToHost | string) => resident.hear(message));
// The worker is gone: nobody waits for what runs here.
process.on('disconnect', () => exit(0));
// A terminal and most supervisors signal the whole group. It is the worker that says when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function sent(error: Error | null): void {
  if (error !== null) return; // The channel is closed; 'disconnect' ends the process.
  posted -= 1;
  if (posted === 0) onSent?.();
}
