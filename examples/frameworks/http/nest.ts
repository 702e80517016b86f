/** NestJS on Express: the HTTP API of Longshore below a path of the program's own server. */
import 'reflect-metadata';
import * as Nest from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { connect, Longshore, toNodeHandler } from '../../../src/index.ts'; // in your project: from 'longshore'
import { welcome } from '../tasks.ts';
import { tryOut } from './client.ts';

const store = process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db';
@Nest.Module({ providers: [{ provide: Longshore, useFactory: () => connect(store) }] })
class App implements Nest.BeforeApplicationShutdown {
  constructor(@Nest.Inject(Longshore) private readonly longshore: Longshore) {}
  beforeApplicationShutdown = () => this.longshore.close(); // ends open streams of events, too
}

const app = await NestFactory.create<NestExpressApplication>(App, { logger: ['error'], bodyParser: false });
app.use('/ops', toNodeHandler(app.get(Longshore).http({ tasks: [welcome] })));
await app.listen(0, '127.0.0.1');
await tryOut(`${await app.getUrl()}/ops`);
await app.close();
