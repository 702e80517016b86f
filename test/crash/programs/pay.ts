import type pg from 'pg';
import { connect, defineTask, type WorkerSettings } from '../../../src/index.ts';
import { openUserDatabase } from '../../user-database.ts';
import { endWithTest, say } from './say.ts';

/** A worker process whose handlers write into a user's table in `ctx.transaction`. */
const { kind, url, settings } = JSON.parse(process.argv[2] ?? '') as {
  readonly kind: 'sqlite' | 'postgres';
  readonly url: string;
  readonly settings: Partial<WorkerSettings>;
};
endWithTest();
const users = await openUserDatabase(kind, url);
(users.db as pg.Pool).on?.('error', () => undefined);

const pay = defineTask({
  name: 'pay',
  run: async ({ id, attempt, input, transaction }) => {
    say({ say: 'started', id, attempt, at: 0 });
    await transaction(users.db, async (tx) => {
      await users.query(tx, `UPDATE ${users.prefix}account SET balance = balance + ${Number(input)}`);
      await users.query(tx, `INSERT INTO ${users.prefix}payment (job) VALUES ('${id}')`);
    });
    say({ say: 'ended', id, attempt, at: 0 });
  },
});

const longshore = await connect(url, { logger: false });
await longshore.worker({ tasks: [pay], ...settings }).start();
say({ say: 'ready' });
