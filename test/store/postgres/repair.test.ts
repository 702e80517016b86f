import { test } from 'node:test';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { assertMended, FAR_MS } from '../repair.ts';
import { Ground } from './ground.ts';

/** By the check that finds it. */
const DAMAGES: Readonly<Record<string, readonly string[]>> = {
  'fresh jobs': ['DELETE FROM fresh', 'UPDATE fresh SET last_seq = last_seq + 1000000'],
  'held jobs': [
    'DELETE FROM lease WHERE fresh_at IS NULL',
    `UPDATE lease SET firsts = '{}', lasts = '{}', live = 0 WHERE fresh_at IS NULL`,
  ],
  'lease counts': ['UPDATE lease SET live = live + 7'],
  turns: [
    `UPDATE job SET turn = 2 WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = 1 WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = -2, ticket = NULL WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = 2 WHERE state = 'running'`,
  ],
  locks: [`INSERT INTO lock VALUES ('leader', 'gone', ${FAR_MS})`],
};

for (const [check, damages] of Object.entries(DAMAGES))
  for (const [place, damage] of damages.entries())
    test(`the doctor finds and mends what keeps jobs from running: ${check}, damage ${place + 1}`, async (t) => {
      const ground = await Ground.migrated(t);
      if (ground === undefined) return;
      await ground.query(`SET search_path TO ${ground.name}`);
      await assertMended({
        driver: postgresDriver,
        url: ground.url,
        store: await ground.store(),
        damage: () => ground.query(damage),
        check,
      });
    });
