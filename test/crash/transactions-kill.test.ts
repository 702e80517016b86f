/** Workers are killed at random points of handlers that write in `ctx.transaction`: each effect counts once. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { onEachStore } from '../stage.ts';
import { openUserDatabase, TRANSACTION_KINDS } from '../user-database.ts';
import { Fleet, type Member } from './fleet.ts';
import { seeded } from './seeded.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_261_130);
const JOBS = 300;
const KILLS = 8;

onEachStore(
  `${JOBS} payments under ${KILLS} kills are made exactly once (seed ${SEED})`,
  async (stage) => {
    const random = seeded(SEED);
    const fleet = new Fleet(stage.t);
    const longshore = await stage.connect();
    const users = await openUserDatabase(stage.kind, stage.url);
    stage.t.after(() => users.close());
    const { db, prefix } = users;
    await users.query(db, `CREATE TABLE ${prefix}account (balance integer NOT NULL)`);
    await users.query(db, `INSERT INTO ${prefix}account VALUES (0)`);
    await users.query(db, `CREATE TABLE ${prefix}payment (job text NOT NULL)`);
    // All that a job holds until it ends is in play: places in the queue, and turns of keys.
    await longshore.queues.setLimits('default', { concurrency: 12, perKey: { ordered: true } });
    const amounts = Array.from({ length: JOBS }, (_, index) => index + 1);
    await longshore.enqueueMany('pay', amounts, (amount) =>
      Number(amount) % 2 === 0 ? { key: `k${Number(amount) % 10}` } : {},
    );

    const settings = { leaseMs: 1_500, crashesMax: 1_000, concurrency: 8 };
    const order = { kind: stage.kind, url: stage.url, settings };
    let kills = 0;
    const besiege = (): void => {
      const member: Member = fleet.start('pay', order);
      let left = 1 + Math.floor(random() * 40);
      fleet.onSaid(async (from) => {
        if (from !== member || kills >= KILLS || --left !== 0) return;
        kills += 1;
        await delay(random() * 5);
        member.kill();
        await member.exited;
        besiege();
      });
    };
    for (let workers = 0; workers < 2; workers += 1) besiege();
    for (;;) {
      const [queue] = await longshore.queues.list();
      if (queue?.counts.completed === JOBS) break;
      assert.equal(queue?.counts.failed, 0);
      await delay(50);
    }
    assert.ok(kills > 0, 'nobody was killed');
    kills = KILLS;
    await fleet.end();
    const sum = (JOBS * (JOBS + 1)) / 2;
    const [account] = await users.query(db, `SELECT balance FROM ${prefix}account`);
    assert.equal(Number(account?.balance), sum);
    const [payments] = await users.query(
      db,
      `SELECT count(*) AS made, count(DISTINCT job) AS jobs FROM ${prefix}payment`,
    );
    assert.deepEqual([Number(payments?.made), Number(payments?.jobs)], [JOBS, JOBS]);
  },
  TRANSACTION_KINDS,
);
