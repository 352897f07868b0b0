import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PogoCommandError, PublishStatus, type PublisherRedisOptions } from '@pogo/publisher';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../support/checkout.js';
import { dataOf, type Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { TestGateway } from '../support/gateway.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { Log } from '../support/log.js';
import { caughtUp, connectToEach, heard, PATIENTLY } from '../support/observer.js';
import { COMMAND_SECRET, publishFields, signed, TestPublisher } from '../support/publisher.js';

/*
 * Three gateways and services that publish through the Redis between them, which brings a command to every gateway.
 */

const PATTERN = '{pogo}:p0:pogo.publish';

let cluster: Cluster;
let publisher: TestPublisher;
let channels = 0;
beforeAll(async () => {
  cluster = await Cluster.start({ settings: { command_secret: COMMAND_SECRET, log_level: 'debug' } });
  publisher = await publisherWith({});
}, START_TIMEOUT_MS);
afterAll(async () => {
  await publisher.stop();
  await cluster.stop();
});

const publisherWith = (redis: PublisherRedisOptions, more: object = {}) =>
  TestPublisher.start({ secret: COMMAND_SECRET, redis: { url: cluster.redis.url, ...redis }, ...more });

async function anotherPublisher(redis: PublisherRedisOptions = {}, more: object = {}): Promise<TestPublisher> {
  const other = await publisherWith(redis, more);
  onTestFinished(() => other.stop());
  return other;
}

/** A gateway of its own on the same Redis. */
async function anotherGateway(settings: Readonly<Record<string, string>>): Promise<TestGateway> {
  const other = await TestGateway.start({ settings: { redis_url: cluster.redis.url, ...settings } });
  onTestFinished(() => other.stop());
  await expect.poll(() => other.hub.isReady, PATIENTLY).toBe(true);
  return other;
}

/** A channel of its own with a client on each node. */
async function observed(): Promise<{ channel: string; clients: readonly Client[]; settled(): Promise<void> }> {
  const channel = `commands-${++channels}`;
  const clients = await connectToEach(cluster);
  for (const client of clients) await client.subscribe(channel);
  return { channel, clients, settled: () => caughtUp(cluster.node(0).http, channel, clients) };
}

/** What is said on a channel of Redis from now on. */
async function overheard(name: string): Promise<string[]> {
  const spy = cluster.redis.inspector.duplicate();
  onTestFinished(() => spy.disconnect());
  const texts: string[] = [];
  spy.on('message', (_name: string, text: string) => texts.push(text));
  await spy.subscribe(name);
  return texts;
}

const eventsOf = (client: Client, channel: string) => heard(client, channel).map((message) => dataOf(message));

describe('publishing from another Nest service over Redis', () => {
  it('is carried out by one node, and reaches the clients of all nodes once', async () => {
    const { channel, clients, settled } = await observed();
    for (let n = 0; n < 30; n++) expect(await publisher.pogo.publish('1', channel, 'once', n)).toBe(PublishStatus.ok);
    await settled();
    const expected = Array.from({ length: 30 }, (_, n) => n);
    for (const client of clients) expect(eventsOf(client, channel)).toEqual(expected);
  });

  it('answers each of several publishers that publish at once', async () => {
    const { channel, clients, settled } = await observed();
    const publishers = [publisher, await anotherPublisher(), await anotherPublisher()];
    const sent = publishers.flatMap(({ pogo }, p) =>
      Array.from({ length: 60 }, (_, n) => pogo.publish('1', channel, 'many', p * 60 + n)),
    );
    expect(new Set(await Promise.all(sent))).toEqual(new Set([PublishStatus.ok]));
    await settled();
    const expected = Array.from({ length: 180 }, (_, n) => n);
    for (const client of clients) {
      const events = eventsOf(client, channel) as number[];
      expect(events.toSorted((a, b) => a - b)).toEqual(expected);
    }
  });

  it('publishes to many channels, all or none', async () => {
    const [a, b] = [await observed(), await observed()];
    const publish = (channel: string) => publisher.pogo.publishMany('1', [a.channel, channel], 'all', '1');
    expect(await publish(b.channel)).toBe(PublishStatus.ok);
    expect(await publish('not a name')).toBe(PublishStatus.invalid_channels_json);
    expect(await publish('c'.repeat(201))).toBe(PublishStatus.channel_too_long);
    for (const { channel, clients, settled } of [a, b]) {
      await settled();
      for (const client of clients) expect(eventsOf(client, channel)).toEqual([1]);
    }
  });

  it('ends the connections of a user on all nodes, and no others', async () => {
    const [users, others] = [await connectToEach(cluster), await connectToEach(cluster)];
    for (const client of users) await client.signin({ id: 'terminated' });
    for (const client of others) await client.signin({ id: 'spared' });
    await publisher.pogo.terminateUser('1', 'terminated');
    for (const client of users) expect((await client.closing()).code).toBe(4009);
    for (const client of others) {
      await client.settle();
      expect(client.count('pusher:error')).toBe(0);
    }
  });

  it('is refused once, with the sentence, when the secret is another one', async () => {
    const answers = await overheard(`${PATTERN}.reply`);
    const { pogo } = await anotherPublisher({}, { secret: 'another secret' });
    const failure = await pogo.publish('1', 'orders', 'paid', '1').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PogoCommandError);
    expect(String(failure)).toContain('the signature is not that of command_secret');
    expect(await publisher.pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.ok);
    await expect.poll(() => answers.length).toBe(2);
  });

  it('is refused or carried out, never both, while the nodes have different secrets', async () => {
    const { channel, clients, settled } = await observed();
    await anotherGateway({ command_secret: 'another secret' });
    const ends = [];
    for (let n = 0; n < 40; n++) {
      ends.push(
        await publisher.pogo.publish('1', channel, 'rotated', n).then(
          () => n,
          (error: unknown) => String(error),
        ),
      );
    }
    await settled();
    const carriedOut = ends.filter((end) => typeof end === 'number');
    for (const client of clients) expect(eventsOf(client, channel)).toEqual(carriedOut);
    for (const end of ends.filter((end) => typeof end === 'string')) expect(end).toMatch(/the signature is not that/);
  });

  it('is refused with what to set when the gateways have no command_secret', async () => {
    await anotherGateway({ redis_prefix: 'without-secret' });
    const { pogo } = await anotherPublisher({ prefix: 'without-secret' });
    await expect(pogo.publish('1', 'orders', 'paid', '1')).rejects.toThrow('set command_secret');
  });
});

describe('a command that was captured', () => {
  it('does nothing when it is published again, and nobody answers', async () => {
    const { channel, clients, settled } = await observed();
    const [commands, answers] = [await overheard(PATTERN), await overheard(`${PATTERN}.reply`)];
    await publisher.pogo.publish('1', channel, 'captured', '1');
    await expect.poll(() => answers.length).toBe(1);
    const [captured = ''] = commands;
    for (let n = 0; n < 5; n++) expect(await cluster.redis.inspector.publish(PATTERN, captured)).toBe(4);
    // Each node takes commands in order, so behind this one all have dealt with those.
    for (let n = 0; n < 10; n++) await publisher.pogo.publish('1', channel, 'later', '2');
    await settled();
    for (const client of clients) expect(eventsOf(client, channel)).toEqual([1, ...Array<number>(10).fill(2)]);
    await expect.poll(() => answers.length).toBe(11);
  });

  it('is carried out once also when two copies arrive together, from somebody without the library', async () => {
    const { channel, clients, settled } = await observed();
    const command = signed('pogo.publish', publishFields({ channel }));
    const message = JSON.stringify({ pattern: PATTERN, data: command, id: 'mine' });
    for (let n = 0; n < 2; n++) await cluster.redis.inspector.publish(PATTERN, message);
    await publisher.pogo.publish('1', channel, 'later', '2');
    await settled();
    for (const client of clients) expect(client.count('paid')).toBe(1);
  });

  it('does no harm when it is garbage', async () => {
    for (const text of ['garbage', '7', 'null', '[]', '{}', '{"pattern":1,"data":2,"id":3}', '{"data":{},"id":{}}'])
      await cluster.redis.inspector.publish(PATTERN, text);
    expect(await publisher.pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.ok);
  });
});

describe('a user of Redis who may publish commands and nothing else', () => {
  it('is all that a publisher needs, as docs/publishing.md says', async () => {
    const page = await readFile(join(ROOT, 'docs/publishing.md'), 'utf8');
    const [rules = ''] = /resetkeys resetchannels &[^`]+/.exec(page) ?? [];
    await cluster.redis.inspector.acl('SETUSER', 'shop', 'on', '>password', ...rules.split(/\s+/));
    const { pogo } = await anotherPublisher({ username: 'shop', password: 'password' });
    expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.ok);
    const log = new Log();
    const redis = { url: cluster.redis.url, username: 'shop', password: 'wrong-password' };
    const locked = await TestPublisher.start({ secret: COMMAND_SECRET, redis }, log);
    onTestFinished(() => locked.stop());
    expect(await locked.pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.broker_failed);
    await expect.poll(() => log.lines.join('\n')).toMatch(/^warn not connected \(WRONGPASS.*broker_failed/m);
    expect(log.lines.join('\n')).not.toContain('wrong-password');
    const nosy = cluster.redis.inspector.duplicate({ username: 'shop', password: 'password' });
    onTestFinished(() => nosy.disconnect());
    await expect(nosy.subscribe('{pogo}:p0:command')).rejects.toThrow('NOPERM');
    await expect(nosy.get('{pogo}:e')).rejects.toThrow('NOPERM');
  });
});

describe('clusters on one Redis', () => {
  it.each([
    ['prefix', { redis_prefix: 'other' }, { prefix: 'other' }],
    ['database', { redis_db: '1' }, { db: 1 }],
  ])('with another %s do not hear each other’s commands', async (_what, settings, redis) => {
    const { channel, clients, settled } = await observed();
    const other = await anotherGateway({ command_secret: COMMAND_SECRET, ...settings });
    const client = await other.connect();
    await client.subscribe(channel);
    const { pogo } = await anotherPublisher(redis);
    expect(await pogo.publish('1', channel, 'theirs', '1')).toBe(PublishStatus.ok);
    expect(await publisher.pogo.publish('1', channel, 'ours', '1')).toBe(PublishStatus.ok);
    await client.receive('theirs');
    await settled();
    for (const ours of clients) expect(heard(ours, channel).map(({ event }) => event)).toEqual(['ours']);
    await caughtUp(other.http, channel, [client]);
    expect(heard(client, channel).map(({ event }) => event)).toEqual(['theirs']);
  });
});

describe('what is printed', () => {
  it('has neither the secret nor a signature nor what was published', async () => {
    const failure = await publisher.pogo.terminateUser('none', 'u').catch(String);
    expect(failure).toContain('application not found');
    for (const n of [0, 1, 2]) {
      const { output } = cluster.node(n);
      expect(output).not.toContain(COMMAND_SECRET);
      expect(output).not.toMatch(/[0-9a-f]{64}|captured|another secret/);
    }
    const refused = [0, 1, 2].flatMap((n) => cluster.node(n).output.match(/refused: [^"]*/g) ?? []);
    expect(refused).toContain('refused: application not found');
  });
});
