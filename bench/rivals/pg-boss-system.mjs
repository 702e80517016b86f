/** What the two ways of using pg-boss share: its queue, and how it counts. It keeps completed jobs for seven days. */
import pg from 'pg';
import { PgBoss } from 'pg-boss';

export const QUEUE = 'noop';

/** @param {{ url: string, name: string }} server */
export function openBoss(server) {
  const boss = new PgBoss({
    connectionString: server.url,
    schema: server.name,
    // Between two processes it would otherwise poll.
    useListenNotify: true,
    max: 10,
  });
  boss.on('error', () => undefined);
  // Its own statistics are cached by design, too late for a finish line.
  const pool = new pg.Pool({ connectionString: server.url, max: 1 });
  pool.on('error', () => undefined);
  const counts = async () => {
    const { rows } = await pool.query(
      `SELECT state::text, count(*)::integer AS jobs FROM "${server.name}".job WHERE name = $1 GROUP BY state`,
      [QUEUE],
    );
    return { completed: 0, ...Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs])) };
  };
  const system = {
    async prepare() {
      await boss.start();
      await boss.createQueue(QUEUE, { notify: true });
    },
    enqueueMany: (inputs) =>
      boss.insert(
        QUEUE,
        inputs.map((data) => ({ data })),
      ),
    enqueue: (input) => boss.send(QUEUE, input),
    async unfinished() {
      const { completed: _, ...others } = await counts();
      return Object.values(others).reduce((sum, jobs) => sum + jobs, 0);
    },
    counts,
    purge: () => boss.deleteAllJobs(QUEUE),
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
  return { boss, system };
}
