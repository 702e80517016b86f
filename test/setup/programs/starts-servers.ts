/** Starts servers, tells where they are, and waits to be killed. */
import { startPostgres, startRedis } from '../../../setup/services/index.mjs';

const servers = [await startPostgres(), await startRedis()];
const told = { ports: servers.map(({ port }) => port), folders: servers.map(({ folder }) => folder) };
process.stdout.write(`${JSON.stringify(told)}\n`);
setInterval(() => {}, 60_000);
