/** NestJS: a provider connects, a controller enqueues, the module runs a worker from bootstrap to shutdown. */
import 'reflect-metadata';
import * as Nest from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Response } from 'express';
import { connect, Longshore, LongshoreError } from '../../src/index.ts'; // in your project: from 'longshore'
import { tryOut } from './client.ts';
import { welcome } from './tasks.ts';

@Nest.Controller()
class Jobs {
  constructor(@Nest.Inject(Longshore) private readonly longshore: Longshore) {}
  @Nest.Post('welcome')
  @Nest.HttpCode(202)
  async welcome(@Nest.Body() body: { email: string }) {
    const { id } = await this.longshore.enqueue(welcome, body); // the schema checks the body
    return { id };
  }
  @Nest.Get('jobs/:id')
  async job(@Nest.Param('id') id: string) {
    const { state, result } = await this.longshore.jobs.handle(id).ended({ timeoutMs: 20_000 });
    return { state, result };
  }
  @Nest.Get('health')
  async health(@Nest.Res() response: Response) {
    const health = await this.longshore.health();
    response.status(health.ok ? 200 : 503).json(health);
  }
}
@Nest.Catch(LongshoreError)
class Refused implements Nest.ExceptionFilter {
  catch({ status, code }: LongshoreError, host: Nest.ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(status).json({ code });
  }
}
const store = process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db';
@Nest.Module({ controllers: [Jobs], providers: [{ provide: Longshore, useFactory: () => connect(store) }] })
class App implements Nest.OnApplicationBootstrap, Nest.OnApplicationShutdown {
  constructor(@Nest.Inject(Longshore) private readonly longshore: Longshore) {}
  onApplicationBootstrap = () => this.longshore.worker({ tasks: [welcome] }).start();
  onApplicationShutdown = () => this.longshore.close(); // after the last request; the worker gets its grace
}
const app = await NestFactory.create(App, { logger: ['error'] });
app.useGlobalFilters(new Refused()).enableShutdownHooks(); // SIGTERM shuts down in order
await app.listen(0, '127.0.0.1');
await tryOut(await app.getUrl());
await app.close();
