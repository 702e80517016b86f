import type { Connection } from '../../../../src/store/sqlite/connection.ts';
import type { Work } from '../../../../src/store/sqlite/transact.ts';

/** A disk with room for 80 pages more; a `clear` of the queue `disk` makes it large again. */
let connection: Connection;

export function opened(open: Connection): void {
  connection = open;
  const pages = connection.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0;
  connection.exec(`PRAGMA max_page_count = ${pages + 80}`);
}

export function beforeCommit(group: readonly Work[]): void {
  if (group.some(({ verb, input }) => verb === 'clear' && (input as { queue: string }).queue === 'disk'))
    connection.exec('PRAGMA max_page_count = 1000000');
}
