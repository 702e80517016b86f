/** An order as one durable run: checked, decided on, a job for each item, an approval by signal, and undone where it fails. */
import { z } from 'zod';
import { connect, defineFlow, defineTask, optional, UnrecoverableError } from '../src/index.ts'; // in your project: from 'longshore'

const Order = z.object({ amount: z.number(), items: z.array(z.string()), card: z.string() });
type Order = z.infer<typeof Order>;
type Reserved = (string | null)[];

const validate = defineTask<Order, Order>({ name: 'validate', run: ({ input }) => input });
const routeOrder = defineTask<Order, string>({
  name: 'route',
  run: ({ input }) => (input.amount < 1_000 ? 'auto' : 'manager'),
});
const reserve = defineTask<string, string>({ name: 'reserve', run: ({ input }) => `${input} from shelf 3` });
const release = defineTask<Reserved, void>({
  name: 'release',
  run: ({ input }) => console.log('released:', input),
});
const ship = defineTask<{ items: Reserved; by: string }, string>({
  name: 'ship',
  run: ({ input: { items, by } }) => `parcel with ${items.join(' and ')}, approved by ${by}`,
});
const recall = defineTask<string, void>({
  name: 'recall',
  run: ({ input }) => console.log('recalled:', input),
});
const charge = defineTask<{ card: string; parcel: string }, string>({
  name: 'charge',
  run({ input }) {
    if (input.card === 'stolen') throw new UnrecoverableError('the bank refuses the card');
    return `paid: ${input.parcel}`;
  },
});
const tasks = [validate, routeOrder, reserve, release, ship, recall, charge];

const order = defineFlow({
  name: 'order',
  input: Order,
  signals: { approval: z.object({ by: z.string() }) },
  steps: (s) => {
    const checked = s.step('validate', validate, { input: ({ run }) => run });
    const route = s.decide('route', routeOrder, { after: [checked], branches: ['auto', 'manager'] });
    const items = s.each('reserve', reserve, { over: checked.items, undo: release });
    const by = optional(s.waitFor('approval', null, { on: route.manager }).by, 'nobody');
    const parcel = s.step('ship', ship, { input: () => ({ items, by }), undo: recall });
    return s.step('charge', charge, { input: ({ run }) => ({ card: run.card, parcel }) });
  },
});

const longshore = await connect('memory:', { logger: false });
await longshore.worker({ tasks }).start();
const large = { amount: 4_200, items: ['lamp', 'desk'], card: 'good' };
const run = await longshore.flows.start(order, large, { id: 'order-7' });
await run.signal('approval', { by: 'Ada' }); // may come before the run waits for it
console.log(await run.result());
const stolen = await longshore.flows.start(order, { amount: 10, items: ['pen'], card: 'stolen' });
console.log((await stolen.ended()).reason);
await longshore.close();
