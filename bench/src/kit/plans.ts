import pg from 'pg';
import { makeInputs } from '../inputs.ts';
import { connect, defineTask } from '../longshore.ts';
import type { ServerPlace } from '../site.ts';

/**
 * The plans of what Longshore sends to PostgreSQL, and of every statement inside its functions: the server explains them itself
 * (auto_explain), in notices to the connection that ran them. Empty where the server has no auto_explain, or does not let us.
 */
export async function plansOf(
  url: string,
  server: ServerPlace,
  size: number,
): Promise<Record<string, string>> {
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  try {
    const { rows } = await admin.query('SELECT current_database() AS name');
    const alter = (change: string): Promise<unknown> =>
      admin.query(`ALTER DATABASE "${rows[0].name}" ${change}`);
    try {
      await admin.query("LOAD 'auto_explain'");
      for (const [name, value] of SETTINGS) await alter(`SET ${name} = '${value}'`);
    } catch {
      return {};
    }
    try {
      return await heardPlans(url, server.name, size);
    } finally {
      for (const [name] of SETTINGS) await alter(`RESET ${name}`);
    }
  } finally {
    await admin.end();
  }
}

/** Of new connections of the database. */
const SETTINGS = [
  ['session_preload_libraries', 'auto_explain'],
  ['auto_explain.log_min_duration', '0'],
  ['auto_explain.log_nested_statements', 'on'],
  ['auto_explain.log_analyze', 'on'],
  ['auto_explain.log_buffers', 'on'],
  ['client_min_messages', 'log'],
] as const;

/** Lets one batch of jobs through and listens to what its connections are told. The last plan of a statement counts. */
async function heardPlans(url: string, schema: string, size: number): Promise<Record<string, string>> {
  let plans: Record<string, string> = {};
  const { connect: before } = pg.Client.prototype;
  pg.Client.prototype.connect = function (this: pg.Client, ...given: never[]) {
    this.on('notice', ({ message = '' }) => {
      const [, statement = '', plan = ''] =
        /Query Text: ([\s\S]*?)\n((?:\S.*\(cost)[\s\S]*)/.exec(message) ?? [];
      if (plan !== '') plans[shortened(statement, schema)] = plan.replaceAll(schema, 'longshore');
    });
    return (before as (...given: never[]) => never).apply(this, given);
  } as typeof before;
  try {
    const longshore = await connect(url);
    try {
      // A connection's own questions at its start are no part of it.
      plans = {};
      const task = defineTask({ name: 'planned', queue: 'planned', run: () => undefined });
      await longshore.enqueueMany(task, makeInputs(size, 10));
      await longshore.worker({ tasks: [task], concurrency: size }).runOnce();
    } finally {
      await longshore.close();
    }
    return plans;
  } finally {
    pg.Client.prototype.connect = before;
  }
}

function shortened(statement: string, schema: string): string {
  return statement.replaceAll(schema, 'longshore').replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
