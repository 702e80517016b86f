import { defineTask } from '../../../src/index.ts';

export const inThread = defineTask({ name: 'inThread', strategy: 'thread', run: () => undefined });
