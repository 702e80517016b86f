import { BpmnError } from '../../../src/connectors/operaton/index.ts';
import { defineTask } from '../../../src/index.ts';

/** In a module of its own, since threads import it. */
export const decline = defineTask<{ limit: number }, never>({
  name: 'decline',
  run: ({ input }) => {
    throw new BpmnError('DECLINED', 'over the limit', { variables: { open: input.limit } });
  },
});
