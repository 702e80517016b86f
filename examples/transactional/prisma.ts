/** Prisma: the tx is the client of an interactive transaction. `npm run generate` makes the client. */
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';
import { CREATE_TABLE, checkCredit, openLongshore, receipt, trade, url } from './shop.ts';

const longshore = await openLongshore();
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
await prisma.$executeRawUnsafe(CREATE_TABLE);

async function order(total: number): Promise<void> {
  await prisma.$transaction(async (tx) => {
    const { id } = await tx.order.create({ data: { total } });
    await longshore.enqueue(receipt, { order: id }, { tx });
    checkCredit(total);
  });
}

await trade(longshore, order);
await prisma.$disconnect();
