import { once } from 'node:events';
import {
  Body,
  Controller,
  Injectable,
  Module,
  Post,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { createGateway, GatewayModule, loadConfig } from '@pogo/gateway';
import {
  AuthProvider,
  HubEvents,
  HubService,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthDecision,
} from '@pogo/hub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { Client } from '../support/client.js';
import { APP } from '../support/gateway.js';
import { HttpApi } from '../support/http-api.js';

/** What an embedding application might bring: a service of its own that its provider depends on. */
@Injectable()
class Tickets {
  readonly valid = new Map([['ticket-1', 'ada']]);
}

@Injectable()
class TicketAuthProvider extends AuthProvider {
  constructor(private readonly tickets: Tickets) {
    super();
  }

  authorizeChannel({ auth, channel }: ChannelAuthRequest): ChannelAuthDecision | Promise<ChannelAuthDecision> {
    if (auth === 'throw') throw new Error('the provider is broken');
    if (auth === 'hang') return new Promise(() => undefined);
    if (auth === 'reject') return Promise.reject(new Error('the provider is broken'));
    if (auth === 'nobody') return { decision: 'not_mine' };
    const userId = this.tickets.valid.get(auth ?? '');
    if (userId === undefined) return { decision: 'deny', reason: 'No such ticket' };
    return channel.kind === 'presence' ? { decision: 'allow', member: { userId } } : { decision: 'allow' };
  }

  authenticateUser(): UserAuthDecision {
    return { decision: 'not_mine' };
  }
}

@Module({ providers: [Tickets], exports: [Tickets] })
class TicketsModule {}

/** Touches everything, as a tracing or logging library does. */
@Injectable()
class TracingInterceptor implements NestInterceptor {
  static traced = 0;

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    TracingInterceptor.traced++;
    return next.handle();
  }
}

/** Lets nobody sign in, in Nest's own way. */
@Injectable()
class NoSigninGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getType() !== 'ws' || context.switchToWs().getPattern() !== 'pusher:signin';
  }
}

@Controller('hello')
class HelloController {
  constructor(private readonly hub: HubService) {}

  @Post()
  async hello(@Body() body: { to: string }): Promise<{ greeted: string; status: number }> {
    return { greeted: body.to, status: await this.hub.publish(APP.id, 'greetings', 'hello', body.to) };
  }
}

@WebSocketGateway({ path: '/own' })
class OwnGateway {
  @SubscribeMessage('echo')
  echo(@ConnectedSocket() _client: WebSocket, @MessageBody() data: unknown): object {
    return { event: 'echoed', data };
  }
}

const config = loadConfig({
  POGO_WS_APP_KEY: APP.key,
  POGO_WS_APP_SECRET: APP.secret,
  POGO_WS_AUTH_TIMEOUT: '50ms',
  POGO_WS_PATH_PREFIX: '/realtime',
});

@Module({
  imports: [
    GatewayModule.forRootAsync({
      imports: [TicketsModule],
      useFactory: () => Promise.resolve(config),
      providers: [{ provide: AuthProvider, useClass: TicketAuthProvider }],
    }),
  ],
  controllers: [HelloController],
  providers: [
    OwnGateway,
    { provide: APP_INTERCEPTOR, useClass: TracingInterceptor },
    { provide: APP_GUARD, useClass: NoSigninGuard },
  ],
})
class ShopModule {}

let app: NestFastifyApplication;
let host: string;
const opened: string[] = [];
const errors: string[] = [];

beforeAll(async () => {
  const logger = {
    log: () => undefined,
    warn: () => undefined,
    error: (message: unknown) => errors.push(String(message)),
  };
  app = await createGateway(ShopModule, { logger, isStandalone: false });
  app.get(HubEvents).on('connectionOpened', ({ connection }) => opened.push(connection.socketId));
  await app.listen(0, '127.0.0.1');
  host = `127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
});
afterAll(() => app.close());

async function connect(): Promise<Client> {
  return new Client(`ws://${host}/realtime/app/${APP.key}`, { app: APP }).established();
}

describe('the gateway inside another Nest application', () => {
  it('asks the application’s own auth provider, which has dependencies of its own', async () => {
    const client = await connect();
    client.send({ event: 'pusher:subscribe', data: { channel: 'presence-room', auth: 'ticket-1' } });
    const { data } = await client.receive('pusher_internal:subscription_succeeded');
    expect(String(data)).toContain('"ids":["ada"]');
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth: 'forged' } });
    expect((await client.receive('pusher:subscription_error')).data).toEqual({
      type: 'AuthError',
      error: 'No such ticket',
      status: 401,
    });
    await client.disconnect();
  });

  it.each([
    ['throw', 'AuthTimeout', 503],
    ['reject', 'AuthTimeout', 503],
    ['hang', 'AuthTimeout', 503],
    ['nobody', 'AuthError', 401],
  ])('denies cleanly when the provider answers with: %s', async (auth, type, status) => {
    const client = await connect();
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth } });
    expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ type, status });
    await client.subscribe('room');
    await client.disconnect();
  });

  it('lets the application publish through the injected hub, and keeps its own routes and body parsing', async () => {
    const client = await connect();
    await client.subscribe('greetings');
    const answer = await fetch(`http://${host}/hello`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"to":"world"}',
    });
    expect(await answer.json()).toEqual({ greeted: 'world', status: 0 });
    expect((await client.receive('hello')).data).toBe('world');
    await client.disconnect();
  });

  it('goes through the application’s interceptors and guards, and words their refusals for Pusher clients', async () => {
    const client = await connect();
    const before = TracingInterceptor.traced;
    await client.subscribe('room');
    expect(TracingInterceptor.traced).toBe(before + 1);
    expect((await client.signin({ id: 'ada' })).data).toEqual({ code: 4009, message: 'Signin authentication failed' });
    await client.subscribe('another');
    await client.disconnect();
  });

  it('does not serve the application’s own routes under the prefix', async () => {
    const answer = await fetch(`http://${host}/realtime/hello`, { method: 'POST' });
    expect(answer.status).toBe(404);
  });

  it('serves the signed HTTP API beside them', async () => {
    const api = new HttpApi(`http://${host}/realtime`, APP);
    const client = await connect();
    await client.subscribe('room');
    expect(await api.publish('room', 'event', { n: 1 })).toMatchObject({ status: 200, body: {} });
    expect((await client.receive('event')).data).toBe('{"n":1}');
    expect((await new HttpApi(`http://${host}`, APP).publish('room', 'event', 'x')).status).toBe(404);
    await client.disconnect();
  });

  it('keeps Nest’s own answer for routes that nobody has', async () => {
    const answer = await fetch(`http://${host}/nobody`);
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ statusCode: 404 })]);
  });

  it('leaves the application’s other WebSocket gateway as it is', async () => {
    const own = new WebSocket(`ws://${host}/own`);
    await once(own, 'open');
    own.send(JSON.stringify({ event: 'echo', data: { n: 1 } }));
    const [message] = (await once(own, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toEqual({ event: 'echoed', data: { n: 1 } });
    own.close();
    await once(own, 'close');
  });

  it('does not touch upgrades to paths that are not its own', async () => {
    const other = new WebSocket(`ws://${host}/elsewhere`);
    const [error] = (await once(other, 'error')) as [Error];
    expect(error.message).toContain('400');
  });

  it('tells the application what happens through hub events', async () => {
    const client = await connect();
    expect(opened).toContain(client.socketId);
    await client.disconnect();
  });
});
