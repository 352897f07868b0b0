import {
  Injectable,
  Module,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createGateway, GatewayModule, loadConfig } from '@pogo/gateway';
import type { Connection } from '@pogo/hub';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Observable } from 'rxjs';
import { Client } from '../support/client.js';
import { APP } from '../support/gateway.js';

/** What a guard or an interceptor was shown: who, the message's name, its channel. */
function witnessed(context: ExecutionContext): string {
  const ws = context.switchToWs();
  const { channel } = ws.getData<{ readonly channel?: string }>();
  return `${ws.getClient<Connection>().socketId} ${ws.getPattern()} ${channel ?? ''}`;
}

/** Takes its time, so that the messages of several clients are on their way at once. */
@Injectable()
class WitnessGuard implements CanActivate {
  static readonly seen: string[] = [];

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    WitnessGuard.seen.push(witnessed(context));
    return true;
  }
}

@Injectable()
class WitnessInterceptor implements NestInterceptor {
  static readonly seen: string[] = [];

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    WitnessInterceptor.seen.push(witnessed(context));
    return next.handle();
  }
}

const config = loadConfig({ POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret });

@Module({
  imports: [GatewayModule.forRoot({ config })],
  providers: [
    { provide: APP_GUARD, useClass: WitnessGuard },
    { provide: APP_INTERCEPTOR, useClass: WitnessInterceptor },
  ],
})
class ShopModule {}

describe('guards and interceptors of an embedding application', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const quiet = () => undefined;
    app = await createGateway(ShopModule, { logger: { log: quiet, warn: quiet, error: quiet }, isStandalone: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());
  beforeEach(() => {
    WitnessGuard.seen.length = 0;
    WitnessInterceptor.seen.length = 0;
  });

  function connect(): Promise<Client> {
    const { port } = app.getHttpServer().address() as { readonly port: number };
    return new Client(`ws://127.0.0.1:${port}/app/${APP.key}`, { app: APP }).established();
  }

  it('see each client with its own messages, in order, however many speak at once', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, connect));
    const speak = async (client: Client, n: number) => {
      await client.subscribe(`room-${n}`);
      client.unsubscribe(`room-${n}`);
      await client.subscribe(`other-${n}`);
    };
    await Promise.all(clients.map(speak));
    for (const [n, { socketId }] of clients.entries()) {
      for (const { seen } of [WitnessGuard, WitnessInterceptor]) {
        expect(seen.filter((each) => each.startsWith(`${socketId} `))).toEqual([
          `${socketId} pusher:subscribe room-${n}`,
          `${socketId} pusher:unsubscribe room-${n}`,
          `${socketId} pusher:subscribe other-${n}`,
        ]);
      }
    }
    for (const client of clients) await client.disconnect();
  });
});
