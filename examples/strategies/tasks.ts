import { defineTask } from '../../src/index.ts';

/** Computes: with `auto`, the hint sends it to a thread at once. */
export const primes = defineTask({
  name: 'primes',
  hint: 'cpu',
  run: ({ input }) => {
    let found = 0;
    for (let n = 2; n < (input as number); n += 1) if (isPrime(n)) found += 1;
    return found;
  },
});

/** Takes its process down: only that job fails. */
export const fragile = defineTask({
  name: 'fragile',
  strategy: 'process',
  attempts: 1,
  run: () => process.exit(3),
});

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false;
  return true;
}
