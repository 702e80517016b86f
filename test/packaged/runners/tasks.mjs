import { defineTask } from 'longshore';

export const double = defineTask({
  name: 'double',
  input: {
    '~standard': { version: 1, vendor: 'own', validate: async (value) => ({ value: Number(value) }) },
  },
  run: async ({ input, log }) => {
    log('doubling', { input });
    return input * 2;
  },
});

export const inThread = defineTask({ name: 'in-thread', strategy: 'thread', run: ({ input }) => input * 2 });

export const fails = defineTask({
  name: 'fails',
  attempts: 1,
  run: () => {
    throw new RangeError('out of range', { cause: new TypeError('inner') });
  },
});
