import { sqliteDriver } from '../../../../src/store/sqlite/index.ts';

/** Opens the store named by the first argument; prints the error's code and message, or `open`. */
try {
  const store = await sqliteDriver.open(process.argv[2] as string, {});
  await store.close();
  console.log('open');
} catch (error) {
  const { code, message } = error as { code: string; message: string };
  console.log(code, message);
}
