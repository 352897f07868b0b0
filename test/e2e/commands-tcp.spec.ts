import { CommandServer } from '@pogo/gateway';
import { PogoPublisherModule, PublishStatus } from '@pogo/publisher';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dataOf } from '../support/client.js';
import { TestGateway, type GatewayOptions } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { COMMAND_SECRET, publishFields, sendOverTcp, signed, TestPublisher } from '../support/publisher.js';
import { freePort } from '../support/redis.js';

const SETTINGS = { command_secret: COMMAND_SECRET, command_port: '0' };

const portOf = (gateway: TestGateway) => gateway.app.get(CommandServer).boundPort;

async function gatewayWith(
  settings: Readonly<Record<string, string>>,
  more: GatewayOptions = {},
): Promise<TestGateway> {
  const other = await TestGateway.start({ ...more, settings: { ...SETTINGS, ...settings } });
  onTestFinished(() => other.stop());
  return other;
}

async function publisherOf(port: number, options: object = {}): Promise<TestPublisher> {
  const other = await TestPublisher.start({ secret: COMMAND_SECRET, tcp: { port }, ...options });
  onTestFinished(() => other.stop());
  return other;
}

let gateway: TestGateway;
let publisher: TestPublisher;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: SETTINGS });
  publisher = await TestPublisher.start({ secret: COMMAND_SECRET, tcp: { port: portOf(gateway) } });
});
afterAll(async () => {
  await publisher.stop();
  await gateway.stop();
});

describe('publishing from another Nest service over TCP', () => {
  it('reaches the subscribers, awaited publishes in their order', async () => {
    const client = await gateway.connect();
    await client.subscribe('orders');
    for (let n = 0; n < 50; n++) expect(await publisher.pogo.publish('1', 'orders', 'paid', { n })).toBe(0);
    await client.reaches('paid', 50);
    const paid = client.received.filter(({ event }) => event === 'paid');
    expect(paid.map((message) => dataOf(message))).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })));
    expect(paid[0]).toEqual({ event: 'paid', channel: 'orders', data: '{"n":0}' });
  });

  it.each([
    ['text', 'not JSON', 'not JSON'],
    ['no text', '', ''],
    ['bytes', Buffer.from('ü€'), 'ü€'],
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['a number', 7, '7'],
    ['null', null, 'null'],
  ])('takes %s as data', async (_what, data, text) => {
    const client = await gateway.connect();
    await client.subscribe('data');
    expect(await publisher.pogo.publish('1', 'data', 'kind', data)).toBe(PublishStatus.ok);
    expect((await client.receive('kind')).data).toBe(text);
  });

  it('publishes to many channels, and not to the connection that is left out', async () => {
    const [one, two] = [await gateway.connect(), await gateway.connect()];
    for (const client of [one, two]) for (const channel of ['many-a', 'many-b']) await client.subscribe(channel);
    const options = { exceptSocketId: one.socketId, assertJson: true };
    expect(await publisher.pogo.publishMany('1', ['many-a', 'many-b'], 'all', '1', options)).toBe(PublishStatus.ok);
    await two.reaches('all', 2);
    await one.settle();
    expect([one.count('all'), two.count('all')]).toEqual([0, 2]);
  });

  it('sends to a user, and ends the connections of one', async () => {
    const [user, other] = [await gateway.connect(), await gateway.connect()];
    for (const [client, id] of [
      [user, 'u'],
      [other, 'v'],
    ] as const) {
      await client.signin({ id });
      await client.subscribe(`#server-to-user-${id}`);
    }
    expect(await publisher.pogo.sendToUser('1', 'u', 'invoice', 'yours')).toBe(PublishStatus.ok);
    expect((await user.receive('invoice')).data).toBe('yours');
    await expect(publisher.pogo.terminateUser('1', 'u')).resolves.toBeUndefined();
    expect((await user.closing()).code).toBe(4009);
    await other.settle();
    expect(other.count('invoice')).toBe(0);
  });

  it.each([
    ['hub_missing', { appId: '2' }],
    ['channel_too_long', { channel: 'c'.repeat(201) }],
    ['event_too_long', { event: 'e'.repeat(201) }],
    ['payload_too_large', { data: 'd'.repeat(262_145) }],
    ['invalid_payload_json', { data: 'not JSON', options: { assertJson: true } }],
    ['invalid_channels_json', { channel: 'a channel' }],
  ] as const)('resolves to %s', async (name, fields) => {
    const all = { appId: '1', channel: 'orders', event: 'paid', data: '1', options: {}, ...fields };
    const status = await publisher.pogo.publish(all.appId, all.channel, all.event, all.data, all.options);
    expect(status).toBe(PublishStatus[name]);
  });

  it('resolves to invalid_channels_json for no channels, and sends nothing when one is wrong', async () => {
    const client = await gateway.connect();
    await client.subscribe('orders');
    const publish = (channels: string[]) => publisher.pogo.publishMany('1', channels, 'wrong', '1');
    expect(await publish([])).toBe(PublishStatus.invalid_channels_json);
    expect(await publish(['orders', 'not a name'])).toBe(PublishStatus.invalid_channels_json);
    await client.settle();
    expect(client.count('wrong')).toBe(0);
  });

  it('resolves to payload_too_large for a body that is over max_body_bytes, with the connection intact', async () => {
    const small = await gatewayWith({ max_body_bytes: '4096' });
    const { pogo } = await publisherOf(portOf(small));
    expect(await pogo.publish('1', 'orders', 'paid', 'd'.repeat(5_000))).toBe(PublishStatus.payload_too_large);
    expect(await pogo.publish('1', 'orders', 'paid', 'd')).toBe(PublishStatus.ok);
  });

  it('resolves to broker_failed when no gateway is there, and goes on with the next that is', async () => {
    // Nobody else is given it while nobody listens there.
    const port = await freePort();
    const first = await TestGateway.start({ settings: { ...SETTINGS, command_port: String(port) } });
    const log = new Log();
    const { pogo, stop } = await loggingPublisher(port, log);
    expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.ok);
    await first.stop();
    for (let n = 0; n < 3; n++)
      expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.broker_failed);
    await expect(pogo.terminateUser('1', 'u')).rejects.toMatchObject({ status: PublishStatus.broker_failed });
    // Nest has one logger in a process.
    const next = await gatewayWith({ command_port: String(port) }, { logger: log });
    const client = await next.connect();
    await client.subscribe('orders');
    expect(await pogo.publish('1', 'orders', 'back', '1')).toBe(PublishStatus.ok);
    await client.receive('back');
    // What was given up stays so.
    expect(client.count('paid')).toBe(0);
    await stop();
    const lost = 'warn not connected: publishes end as broker_failed until it is';
    expect(log.lines.filter((line) => line.includes('connected'))).toEqual(['log connected', lost, 'log connected']);
    expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.broker_failed);
  });

  it('resolves to broker_failed when what connects the nodes is away', async () => {
    const alone = await gatewayWith({ redis_url: 'redis://127.0.0.1:1' });
    const { pogo } = await publisherOf(portOf(alone));
    expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.broker_failed);
    await expect(pogo.terminateUser('1', 'u')).rejects.toMatchObject({ status: PublishStatus.broker_failed });
    const answer = await sendOverTcp(portOf(alone), 'pogo.publish', signed('pogo.publish', publishFields()));
    expect(answer).toEqual({ status: 6, name: 'broker_failed' });
  });

  it('resolves to broker_queue_full for more than may wait, without sending it', async () => {
    const client = await gateway.connect();
    await client.subscribe('queue');
    const { pogo } = await publisherOf(portOf(gateway), { maxInFlight: 3 });
    const statuses = await Promise.all(Array.from({ length: 5 }, () => pogo.publish('1', 'queue', 'burst', '1')));
    expect(statuses).toEqual([0, 0, 0, 8, 8]);
    expect(await pogo.publish('1', 'queue', 'last', '1')).toBe(PublishStatus.ok);
    await client.receive('last');
    expect(client.count('burst')).toBe(3);
  });

  it('takes its options from other providers as well, and refuses those that cannot be meant', async () => {
    const useFactory = () => Promise.resolve({ secret: COMMAND_SECRET, tcp: { port: portOf(gateway) } });
    const other = await TestPublisher.startWith(PogoPublisherModule.forRootAsync({ useFactory }));
    onTestFinished(() => other.stop());
    expect(await other.pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.ok);
    await expect(TestPublisher.start({ secret: '', tcp: { port: 1 } })).rejects.toThrow('command_secret');
    const url = 'http://:password@host';
    const failure = TestPublisher.start({ secret: 's', redis: { url } }).catch(String);
    expect(await failure).toMatch(/^TypeError: the Redis URL must be/);
    expect(await failure).not.toContain('password@host');
  });
});

async function loggingPublisher(port: number, log: Log) {
  const other = await TestPublisher.start({ secret: COMMAND_SECRET, tcp: { port } }, log);
  return { pogo: other.pogo, stop: () => other.stop() };
}
