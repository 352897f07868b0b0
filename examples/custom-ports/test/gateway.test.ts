import 'reflect-metadata';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CommandServer, createGateway, loadConfig } from 'pogo-gateway';
import { Broker, HubEvents, HubService, type HubEventName } from 'pogo-gateway/hub';
import { signChannel } from 'pogo-gateway/protocol';
import { AppModule } from '../src/app.module.js';
import { ConnectionLog } from '../src/connection-log.js';
import { AuditTrail } from '../src/ports/audit-trail.js';
import { MeasuredBroker } from '../src/ports/measured-broker.js';
import { Outbox } from '../src/ports/outbox.js';
import { OrdersModule } from '../src/publishing/orders.module.js';
import { OrdersService } from '../src/publishing/orders.service.js';
import { UnixSocketPublisher } from '../src/publishing/unix-socket-publisher.js';
import { Client } from './support/client.js';

const APP = { id: '1', key: 'example-key', secret: 'example-secret' };
const COMMAND_SECRET = 'example-command-secret';

const folder = mkdtempSync(join(tmpdir(), 'pogo-ports-'));
const unixSocket = join(folder, 'pogo.sock');
const clients: Client[] = [];
let app: NestFastifyApplication;

before(async () => {
  const config = loadConfig({
    POGO_WS_HOST: '127.0.0.1',
    POGO_WS_PORT: '0',
    POGO_WS_HANDSHAKE_RATE: '-1',
    POGO_WS_APP_ID: APP.id,
    POGO_WS_APP_KEY: APP.key,
    POGO_WS_APP_SECRET: APP.secret,
    POGO_WS_UNIX_SOCKET: unixSocket,
    POGO_WS_COMMAND_SECRET: COMMAND_SECRET,
    POGO_WS_COMMAND_PORT: '0',
    POGO_WS_WEBHOOK_URL: 'http://localhost/outbox',
  });
  const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };
  app = await createGateway(AppModule.forRoot(config), { logger });
  await app.listen(config.port, config.host);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  // Those of one test do not leave in the middle of the next.
  while (app.get(ConnectionLog).open > 0) await happens('connectionClosed');
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** Resolves when the hub says so. */
function happens(name: HubEventName): Promise<unknown> {
  return new Promise((resolve) => app.get(HubEvents).on(name, resolve));
}

/** A client that is subscribed. */
async function subscriber(channel: string, userId?: string): Promise<Client> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const client = new Client(`ws://127.0.0.1:${port}/app/${APP.key}?protocol=7`);
  clients.push(client);
  const socketId = await client.established();
  const member = userId === undefined ? undefined : JSON.stringify({ user_id: userId });
  const auth = signChannel(APP, socketId, channel, member);
  await client.subscribe(channel, { auth, ...(member === undefined ? {} : { channel_data: member }) });
  return client;
}

describe('ports of the application', () => {
  it('carry every event', async () => {
    const broker = app.get(Broker);
    assert.ok(broker instanceof MeasuredBroker);
    const before = broker.published;
    const client = await subscriber('private-orders');
    await app.get(HubService).publish(APP.id, 'private-orders', 'paid', '{"id":1}');
    await client.receive('paid');
    assert.equal(broker.published, before + 1);
  });

  it('know who is there', async () => {
    const { entries } = app.get(AuditTrail);
    const left = happens('memberRemoved');
    const first = await subscriber('presence-desk', 'ada');
    await subscriber('presence-desk', 'ada');
    assert.deepEqual(entries, ['ada joined presence-desk']);
    first.close();
    clients[1]?.close();
    await left;
    assert.deepEqual(entries, ['ada joined presence-desk', 'ada left presence-desk']);
  });
});

describe('webhooks', () => {
  it('go where the application wants them', async () => {
    const outbox = app.get(Outbox);
    const has = () =>
      outbox.rows.find(({ body }) => body.includes('{"name":"channel_occupied","channel":"private-inbox"}'));
    await subscriber('private-inbox');
    while (has() === undefined) await new Promise<void>((resolve) => (outbox.inserted = resolve));
    assert.equal(has()?.appId, APP.id);
  });
});

describe('hub events', () => {
  it('say who is connected', async () => {
    const log = app.get(ConnectionLog);
    const client = await subscriber('private-orders');
    assert.equal(log.open, 1);
    const closed = happens('connectionClosed');
    client.close();
    await closed;
    assert.equal(log.open, 0);
  });
});

describe('publishing from elsewhere', () => {
  it('from another Nest service', async () => {
    const port = app.get(CommandServer).boundPort;
    const options = OrdersModule.forRoot({ secret: COMMAND_SECRET, tcp: { port } });
    const service = await NestFactory.createApplicationContext(options, { logger: false });
    try {
      const client = await subscriber('private-orders');
      await service.get(OrdersService).paid(7);
      assert.deepEqual(await client.receive('paid'), { id: 7 });
    } finally {
      await service.close();
    }
  });

  it('through the Unix socket', async () => {
    const client = await subscriber('private-orders');
    const publisher = new UnixSocketPublisher(unixSocket, APP);
    assert.equal(await publisher.publish('private-orders', 'paid', { id: 8 }), 200);
    assert.deepEqual(await client.receive('paid'), { id: 8 });
    const stranger = new UnixSocketPublisher(unixSocket, { ...APP, secret: 'another' });
    assert.equal(await stranger.publish('private-orders', 'paid', { id: 9 }), 401);
  });
});
