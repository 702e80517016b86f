import { parentPort, workerData } from 'node:worker_threads';
import { httpSender, type TlsFiles } from './http-request.ts';
import { type Lock, Renewals, type Report } from './renewals.ts';

/** The keeper's thread: runs no handler, so locks are renewed while the program's own event loop is held. Loaded as a thread alone. */

/** What the thread is started with. */
export interface KeeperSettings {
  readonly requestsMax: number;
  readonly lostStatuses: readonly number[];
  readonly lostText: RegExp | undefined;
  readonly tls: TlsFiles;
}

export type ToKeeper =
  | { readonly type: 'hold'; readonly lock: number; readonly kept: Lock }
  | { readonly type: 'release'; readonly lock: number }
  | { readonly type: 'settle'; readonly lock: number }
  | { readonly type: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly type: 'close' };

export type FromKeeper = Report;

const CLOCK = {
  now: () => performance.now(),
  after(delayMs: number, fire: () => void) {
    const timer = setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const data = workerData as { readonly longshoreKeeper?: KeeperSettings } | null;

if (parentPort !== null && data?.longshoreKeeper !== undefined) {
  const port = parentPort;
  const { requestsMax, lostStatuses, lostText, tls } = data.longshoreKeeper;
  const send = httpSender(requestsMax, tls);
  const report = (one: Report): void => port.postMessage(one satisfies FromKeeper);
  const renewals = new Renewals({
    send,
    clock: CLOCK,
    random: Math.random,
    requestsMax,
    lostStatuses,
    lostText,
    report,
  });
  const hear = (message: ToKeeper): void => {
    switch (message.type) {
      case 'hold':
        renewals.hold(message.lock, message.kept);
        return;
      case 'release':
        renewals.release(message.lock);
        return;
      case 'settle':
        renewals.settle(message.lock);
        return;
      case 'headers':
        renewals.setHeaders(message.headers);
        return;
      case 'close':
        renewals.close();
        send.close();
        port.close();
    }
  };
  port.on('message', (messages: readonly ToKeeper[]) => {
    for (const message of messages) hear(message);
  });
}
