import { appendFileSync } from 'node:fs';
import type { Connection } from '../../../../src/store/sqlite/connection.ts';
import type { Work } from '../../../../src/store/sqlite/transact.ts';

/** Writes the verbs of every group that was committed, a line each, to `<database>.groups`. */
let file = '';

export function opened(connection: Connection): void {
  file = `${connection.file}.groups`;
}

export function afterCommit(group: readonly Work[]): void {
  appendFileSync(file, `${group.map(({ verb }) => verb).join(' ')}\n`);
}
