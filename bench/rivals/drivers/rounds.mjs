/** What drivers are measured by: the same work in rounds, elapsed and processor time of each, and what the import takes. */
import { program } from '../../src/program.ts';

/**
 * @typedef {object} Driver
 * @property {() => Promise<void>} prepare
 * @property {Record<string, { rounds: number, each: number, work: () => Promise<unknown> }>} works `each`: things done in a round
 * @property {() => Promise<unknown>} close
 *
 * @param {Record<string, { load: () => Promise<any>, open: (module: any, settings: any) => Driver | Promise<Driver> }>} drivers
 */
export function measureDrivers(drivers) {
  program(async (settings) => {
    const { load, open } = drivers[settings.driver];
    globalThis.gc?.();
    const residentBefore = process.memoryUsage.rss();
    const importBegan = performance.now();
    const module = await load();
    const importMs = performance.now() - importBegan;
    globalThis.gc?.();
    const importMb = (process.memoryUsage.rss() - residentBefore) / 2 ** 20;
    const driver = await open(module, settings);
    try {
      await driver.prepare();
      const figures = { importMs, importMb };
      for (const [name, work] of Object.entries(driver.works))
        Object.assign(figures, await timed(name, work, settings.share));
      return figures;
    } finally {
      await driver.close();
    }
  });
}

/** A quarter of the rounds go before, untimed; of the others the median. `share` makes a smaller run. */
async function timed(name, { rounds: all, each, work }, share) {
  const rounds = Math.max(4, Math.round(all * share));
  for (let round = 0; round < rounds / 4; round += 1) await work();
  const took = [];
  const cpu = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(cpu);
  took.sort((one, other) => one - other);
  return {
    [`${name}, µs`]: (took[took.length >> 1] * 1_000) / each,
    [`${name}, processor µs`]: (user + system) / rounds / each,
  };
}
