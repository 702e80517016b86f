import { defineTask } from 'longshore';

const run = ({ input }) => input * 2;

export const inline = defineTask({ name: 'inline', run });
export const inThread = defineTask({ name: 'in-thread', strategy: 'thread', run });
