import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { createGateway, GatewayModule, loadConfig } from '@pogo/gateway';
import {
  AuthProvider,
  SignatureAuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthRequest,
} from '@pogo/hub';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';

/** Authorizes as signatures do, but every decision takes another while: the first asked is rarely the first answered. */
class SlowAuthProvider extends AuthProvider {
  /** Nothing is decided before it opens. */
  static gate: Promise<void> = Promise.resolve();
  private readonly signatures = new SignatureAuthProvider();
  private asked = 0;

  async authorizeChannel(request: ChannelAuthRequest): Promise<ChannelAuthDecision> {
    await SlowAuthProvider.gate;
    await sleep((this.asked++ * 7) % 5);
    return this.signatures.authorizeChannel(request);
  }

  authenticateUser(request: UserAuthRequest) {
    return this.signatures.authenticateUser(request);
  }
}

const SILENT = { log: () => undefined, error: () => undefined, warn: () => undefined };
const stop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of stop.splice(0)) await end();
});

/** A gateway inside somebody's own Nest application, with a provider of their own. */
async function startEmbedded(settings: Record<string, string>): Promise<Client> {
  const config = loadConfig({
    POGO_WS_APP_KEY: APP.key,
    POGO_WS_APP_SECRET: APP.secret,
    POGO_WS_PORT: '0',
    POGO_WS_HOST: '127.0.0.1',
    ...settings,
  });
  @Module({
    imports: [GatewayModule.forRoot({ config, providers: [{ provide: AuthProvider, useClass: SlowAuthProvider }] })],
  })
  class EmbeddingModule {}
  const app = await createGateway(EmbeddingModule, { logger: SILENT, isStandalone: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const client = new Client(`ws://127.0.0.1:${port}/app/${APP.key}`, { app: APP });
  stop.push(async () => {
    client.terminate();
    await app.close();
  });
  return client.established();
}

describe('messages of one connection', () => {
  it('are handled strictly in order, two hundred in one burst with slow authorization among them', async () => {
    const client = await startEmbedded({ POGO_WS_CLIENT_MSG_RATE_LIMIT: '-1' });
    const expected: string[] = [];
    const say = (message: object, answer: string) => {
      client.send(message);
      expected.push(answer);
    };
    const succeeded = (channel: string) => `pusher_internal:subscription_succeeded ${channel}`;
    const notMember = 'pusher:error The client is not a member of the specified channel.';
    for (let i = 0; i < 40; i++) {
      const channel = `private-${i}`;
      say({ event: 'client-x', channel, data: i }, notMember);
      say(client.subscription(channel), succeeded(channel));
      say({ event: 'client-disallowed', channel: `room-${i}`, data: i }, notMember);
      client.send({ event: 'pusher:unsubscribe', data: { channel } });
      say({ event: 'client-x', channel, data: i }, notMember);
    }
    client.send({ event: 'last', data: {} });
    await client.receive(
      (m) => m.event === 'pusher:error' && JSON.stringify(m.data).includes('Invalid message format'),
    );
    const answers = client.received.slice(1, -1).map(({ event, channel, data }) => {
      return `${event} ${channel ?? (data as { message: string }).message}`;
    });
    expect(answers).toEqual(expected);
  });

  it('wait for a token and are all handled when a page subscribes to 150 channels in one burst', async () => {
    const gateway = await TestGateway.start();
    stop.push(() => gateway.stop());
    const client = await gateway.connect();
    const channels = Array.from({ length: 150 }, (_, i) => `room-${i}`);
    for (const channel of channels) client.send(client.subscription(channel));
    await client.receive((m) => m.event === 'pusher_internal:subscription_succeeded' && m.channel === 'room-149');
    const acknowledged = client.received.filter(({ event }) => event === 'pusher_internal:subscription_succeeded');
    expect(acknowledged.map(({ channel }) => channel)).toEqual(channels);
    expect(client.count('pusher:error')).toBe(0);
  });

  it('do not hold up the answer to a ping', async () => {
    const client = await startEmbedded({ POGO_WS_CLIENT_MSG_RATE_LIMIT: '-1' });
    let decide: () => void = () => undefined;
    SlowAuthProvider.gate = new Promise((resolve) => (decide = resolve));
    for (let i = 0; i < 20; i++) client.send(client.subscription(`private-${i}`));
    client.send({ event: 'pusher:ping', data: {} });
    await client.receive('pusher:pong');
    expect(client.count('pusher_internal:subscription_succeeded')).toBe(0);
    decide();
    await client.receive((m) => m.channel === 'private-19');
  });
});
