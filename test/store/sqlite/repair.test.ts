import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sqliteDriver } from '../../../src/store/sqlite/index.ts';
import { assertMended, FAR_MS } from '../repair.ts';
import { Place } from './place.ts';

/** By the check that finds it. */
const DAMAGES: Readonly<Record<string, readonly string[]>> = {
  'held jobs': ['DELETE FROM lease', `UPDATE lease SET seqs = '[]', live = 0`],
  'lease counts': ['UPDATE lease SET live = live + 7'],
  turns: [
    `UPDATE job SET turn = 2 WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = 1 WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = 1 WHERE state = 'ready' AND key IS NULL`,
    `UPDATE job SET turn = -2, ticket = NULL WHERE state = 'ready' AND key IS NOT NULL`,
    `UPDATE job SET turn = 2 WHERE state = 'running'`,
  ],
  locks: [`INSERT INTO lock VALUES ('leader', 'gone', ${FAR_MS})`],
};

for (const [check, damages] of Object.entries(DAMAGES))
  for (const [index, damage] of damages.entries())
    test(`the doctor finds and mends what keeps jobs from running: ${check}, damage ${index + 1}`, async (t) => {
      const place = await Place.make(t);
      await assertMended({
        driver: sqliteDriver,
        url: place.url,
        store: await place.store(),
        damage: () => {
          const db = new DatabaseSync(place.file);
          db.exec(damage);
          db.close();
        },
        check,
      });
    });
