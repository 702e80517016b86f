/** Prisma: the handler's order, its job's end and the receipt's job commit together. `npm run generate` makes the client. */
import { PrismaPg } from '@prisma/adapter-pg';
import { defineTask, type JobContext } from '../../src/index.ts'; // in your project: from 'longshore'
import { PrismaClient } from './generated/client.ts';
import { CREATE_TABLE, checkCredit, fulfil, type Order, openLongshore, receipt, url } from './shop.ts';

const longshore = await openLongshore();
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
await prisma.$executeRawUnsafe(CREATE_TABLE);

const order = defineTask({
  name: 'order',
  attempts: 1,
  run: ({ input, transaction }: JobContext<Order>) =>
    transaction(prisma, async (tx) => {
      const { id } = await tx.order.create({ data: { total: input.total } });
      await longshore.enqueue(receipt, { order: id }, { tx });
      checkCredit(input.total);
      return id;
    }),
});

await fulfil(longshore, order);
await prisma.$disconnect();
