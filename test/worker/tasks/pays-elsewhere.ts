import { connect, defineTask, type JobContext, type Longshore } from '../../../src/index.ts';
import type { StoreKind } from '../../fresh-store.ts';
import { openUserDatabase, type UserDatabase } from '../../user-database.ts';

/** Handlers that complete their job in a transaction of their own, in a thread or process: the connections are theirs. */
export interface Given {
  readonly kind: StoreKind;
  readonly url: string;
  readonly how: keyof typeof WAYS;
}

type Context = Pick<
  JobContext<Given>,
  'input' | 'transaction' | 'complete' | 'attempt' | 'progress' | 'log'
> & {
  readonly users: UserDatabase;
};

/** One a host: it goes with it. */
const databases = new Map<string, Promise<UserDatabase>>();

async function run(context: JobContext<Given>): Promise<unknown> {
  const { kind, url, how } = context.input;
  let users = databases.get(url);
  if (users === undefined) {
    users = openUserDatabase(kind, url);
    databases.set(url, users);
  }
  // Members of the context are getters of its class.
  const { input, transaction, complete, attempt, progress, log } = context;
  return WAYS[how]({ input, transaction, complete, attempt, progress, log, users: await users });
}

function pay({ users }: Context, tx: object): Promise<unknown> {
  return users.query(tx, `UPDATE ${users.prefix}account SET balance = balance + 1`);
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  const done = await refused.then(
    () => 'done',
    (error: { readonly code?: string }) => error.code ?? String(error),
  );
  return done;
}

async function withStore<T>({ input }: Context, work: (longshore: Longshore) => Promise<T>): Promise<T> {
  const longshore = await connect(input.url, { logger: false });
  try {
    return await work(longshore);
  } finally {
    await longshore.close();
  }
}

const WAYS = {
  pays: (context: Context) =>
    context.transaction(context.users.db, async (tx) => {
      context.progress(0.5);
      context.log('told inside');
      await pay(context, tx);
      return { paid: 1 };
    }),
  'enqueues inside': (context: Context) =>
    withStore(context, (longshore) =>
      context.transaction(context.users.db, async (tx) => {
        await pay(context, tx);
        await longshore.enqueue('receipt', null, { tx });
        return 'paid';
      }),
    ),
  'own transaction': async (context: Context) => {
    const { tx, commit } = await context.users.begin();
    await pay(context, tx);
    await context.complete('mine', { tx });
    await commit();
    return 'ignored';
  },
  'rolls back at first': async (context: Context) => {
    const { tx, commit, rollback } = await context.users.begin();
    await pay(context, tx);
    await context.complete('mine', { tx });
    await (context.attempt === 1 ? rollback() : commit());
    return 'ignored';
  },
  aborts: (context: Context) =>
    context.transaction(context.users.db, async (tx) => {
      await pay(context, tx);
      throw new Error('abort');
    }),
  'dies inside at first': (context: Context) =>
    context.transaction(context.users.db, async (tx) => {
      await pay(context, tx);
      if (context.attempt === 1) process.exit(1);
      return 'paid';
    }),
  'dies completed at first': async (context: Context) => {
    const { tx, commit } = await context.users.begin();
    await pay(context, tx);
    await context.complete('paid', { tx });
    if (context.attempt === 1) process.exit(1);
    await commit();
  },
  'dies after the commit': async (context: Context) => {
    await context.transaction(context.users.db, async (tx) => {
      await pay(context, tx);
      return 'paid';
    });
    process.exit(1);
  },
  'lingers after its own commit': async (context: Context) => {
    const { tx, commit } = await context.users.begin();
    await pay(context, tx);
    await context.complete('paid', { tx });
    await commit();
    // It has told nobody. Its timer keeps the host at work until another job ends that.
    context.log('committed');
    await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
  },
  'loses its lease': (context: Context) =>
    withStore(context, async (longshore) => {
      await longshore.queues.obliterate('default', { force: true });
      const refused = context.transaction(context.users.db, async (tx) => {
        await pay(context, tx);
        return 'paid';
      });
      const code = await codeOf(refused);
      throw new Error(code);
    }),
  'twice and again': async (context: Context) => {
    const { users, transaction, complete } = context;
    const codes: string[] = [];
    const failing = transaction(users.db, async (tx) => {
      await pay(context, tx);
      throw new Error('40001');
    });
    codes.push(await codeOf(failing));
    await transaction(users.db, async (tx) => {
      await pay(context, tx);
      codes.push(await codeOf(transaction(users.db, async () => 1)));
      return codes;
    });
    // Nothing else tells of it: the job's result stands by now.
    const again = await codeOf(transaction(users.db, async () => 1));
    const { tx, rollback } = await users.begin();
    const second = await codeOf(complete('second', { tx }));
    await rollback();
    if (again !== 'JOB_STATE_REFUSED' || second !== again)
      for (let i = 0; i < 1_000; i += 1) await pay(context, users.db);
  },
  refused: async ({ transaction, complete, users }: Context) => {
    const codes: string[] = [];
    for (const db of [null, undefined, 1, {}, 'pool'])
      codes.push(await codeOf(transaction(db as unknown as object, async () => 1)));
    codes.push(await codeOf(transaction(users.db, 'no function' as never)));
    codes.push(await codeOf(transaction(async () => 1)));
    for (const tx of [null, undefined, 1, {}])
      codes.push(await codeOf(complete(1, { tx: tx as unknown as object })));
    codes.push(await codeOf(complete(1, undefined as never)));
    codes.push(await codeOf(complete(1, { tx: users.db })));
    return codes;
  },
  'no JSON': (context: Context) =>
    context.transaction(context.users.db, async (tx) => {
      await pay(context, tx);
      return (() => 'no JSON') as unknown as string;
    }),
  dies: async () => process.exit(1),
} satisfies Record<string, (context: Context) => Promise<unknown>>;

export const paysInThread = defineTask({ name: 'pays-in-a-thread', strategy: 'thread', backoff: 0, run });
export const paysInProcess = defineTask({ name: 'pays-in-a-process', strategy: 'process', backoff: 0, run });

/** For stores that have no transactions to share. */
export const cannotPay = defineTask({
  name: 'cannot-pay',
  strategy: 'thread',
  run: async ({ transaction, complete }) => [
    await codeOf(transaction({}, async () => 1)),
    await codeOf(complete(1, { tx: {} })),
  ],
});
