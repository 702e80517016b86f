import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';

// What a pool does when a task ends its worker, throws later, or loops for ever and is aborted; with a bystander in the other worker.
setInterval(() => {}, 1e6);
process.on('uncaughtException', (e) => console.log('   UNCAUGHT in main:', e.message));
process.on('unhandledRejection', (e) => console.log('   UNHANDLED in main:', e?.message));
const u = new URL('bad.mjs', import.meta.url);
const o = { filename: u.href, minThreads: 2, maxThreads: 2 };
const all = {
  piscina: () => {
    const p = new Piscina(o);
    return { run: (h, s) => p.run(h, { signal: s }) };
  },
  'tinypool thread': () => {
    const p = new Tinypool(o);
    return { run: (h, s) => p.run(h, { signal: s }) };
  },
  'tinypool process': () => {
    const p = new Tinypool({ ...o, runtime: 'child_process' });
    return { run: (h, s) => p.run(h, { signal: s }) };
  },
  'workerpool thread': () => wp('thread'),
  'workerpool process': () => wp('process'),
};
function wp(t) {
  const p = workerpool.pool(new URL('workerpool-bad.mjs', import.meta.url).pathname, {
    workerType: t,
    maxWorkers: 2,
  });
  return {
    run: (h, s) => {
      const x = p.exec('f', [h]);
      s?.addEventListener('abort', () => x.cancel());
      return x;
    },
  };
}
const within = (p, ms = 4000) =>
  Promise.race([
    Promise.resolve(p).then(
      (v) => `ok ${v}`,
      (e) => `error: ${String(e?.message).slice(0, 60)}`,
    ),
    new Promise((r) => setTimeout(r, ms, 'NEVER SETTLED')),
  ]);
for (const [n, make] of Object.entries(all)) {
  const p = make();
  await within(p.run('ok'));
  for (const h of ['exit', 'later']) {
    const by = within(p.run('wait'));
    console.log(
      n,
      '|',
      h,
      '|',
      await within(p.run(h)),
      '| bystander',
      await by,
      '| next',
      await within(p.run('ok')),
    );
  }
  const c = new AbortController();
  const l = p.run('loop', c.signal);
  setTimeout(() => c.abort(), 300);
  console.log(
    n,
    '| kill loop |',
    await within(l),
    '| next',
    await within(p.run('ok')),
    await within(p.run('ok')),
  );
}
process.exit(0);
