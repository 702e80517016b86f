/** Next calls `register` once when the server starts, before the first request. Leave it out where workers run elsewhere. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const [{ longshore }, { welcome }] = await Promise.all([import('./longshore.ts'), import('../tasks.ts')]);
  await (await longshore()).worker({ tasks: [welcome] }).start();
}
