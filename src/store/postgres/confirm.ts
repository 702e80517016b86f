import type { Topic } from '../notifier.ts';
import type { Completion, ConfirmReceipt } from '../transactions.ts';
import { parseToken, type Token } from './leases.ts';
import { arrayOf } from './lists.ts';
import { isUuid, type Tx } from './rows.ts';

interface ConfirmedRow {
  readonly place: number;
  readonly status: string;
}

/** What became of completions in transactions of users (migrations/0030-departures.sql). */
export async function confirm(tx: Tx, completions: readonly Completion[]): Promise<ConfirmReceipt[]> {
  const receipts = completions.map((): ConfirmReceipt => ({ status: 'lost' }));
  const asked = completions.flatMap(({ id, token }, place): (Token & { id: string; place: number })[] => {
    const parsed = parseToken(token, id);
    return parsed === null || !isUuid(id) ? [] : [{ ...parsed, id, place }];
  });
  if (asked.length === 0) return receipts;
  const rows = await tx.query<ConfirmedRow>(`SELECT place, status FROM ${tx.schema}.confirm($1, $2, $3)`, [
    arrayOf(asked.map(({ lease }) => lease)),
    arrayOf(asked.map(({ seq }) => seq)),
    asked.map(({ id }) => id),
  ]);
  for (const { place, status } of rows) {
    const item = asked[place - 1];
    if (item === undefined) tx.topics.add(status as Topic);
    else receipts[item.place] = receiptOf(status);
  }
  return receipts;
}

function receiptOf(status: string): ConfirmReceipt {
  return status === 'settled'
    ? { status, state: 'completed' }
    : { status: status as 'open' | 'undone' | 'lost' };
}

/** What nobody confirmed, such as after a crash, is let go of. */
export async function departAll(tx: Tx): Promise<void> {
  const [row] = await tx.query<{ roomy: boolean }>(`SELECT roomy FROM ${tx.schema}.depart(NULL, NULL)`);
  if (row?.roomy === true) tx.topics.add('ready');
}
