import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataOf, type Client } from '../support/client.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { LinkGate } from '../support/link-gate.js';
import { ACKNOWLEDGED, ADDED, caughtUp, heard, PATIENTLY, presenceIn, REMOVED } from '../support/observer.js';
import { RedisServer } from '../support/redis.js';

let redis: RedisServer;
let gate: LinkGate;
/** Behind the gate. */
let here: GatewayProcess;
let elsewhere: GatewayProcess;
let rooms = 0;
const fresh = (prefix: string) => `${prefix}overtaken-${++rooms}`;
beforeAll(async () => {
  redis = await RedisServer.start();
  gate = await LinkGate.start(redis.port);
  [here, elsewhere] = await Promise.all(
    [gate.url, redis.url].map((redis_url) => GatewayProcess.start({ settings: { redis_url } })) as [
      Promise<GatewayProcess>,
      Promise<GatewayProcess>,
    ],
  );
}, START_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([here.kill(), elsewhere.kill()]);
  await Promise.all([here.stop(), elsewhere.stop()]);
  await gate.stop();
  await redis.stop();
});

const member = (channel: string, id: string) => (channel.startsWith('presence-') ? { user_id: id } : undefined);

async function joined(node: GatewayProcess, channel: string, id: string): Promise<Client> {
  const client = await node.connect();
  await client.subscribe(channel, member(channel, id));
  return client;
}

async function subscriptionsIn(channel: string): Promise<number> {
  const { body } = await elsewhere.http.get(`/channels/${channel}`, { info: 'subscription_count' });
  return (body as { subscription_count: number }).subscription_count;
}

const say = (channel: string, data: string) => elsewhere.http.publish(channel, 'said', data);

/** What a client has heard since its acknowledgement: events by their data, comings and goings as `+id` and `-id`. */
function story(client: Client, channel: string): unknown[] {
  return heard(client, channel).map((message) => {
    const id = () => (dataOf(message) as { user_id: string }).user_id;
    if (message.event === ADDED) return `+${id()}`;
    return message.event === REMOVED ? `-${id()}` : message.data;
  });
}

const PREFIXES = ['', 'cache-', 'presence-', 'presence-cache-'];

describe('a joiner of a channel', () => {
  it.each(PREFIXES)('%s… whose answer is overtaken by what comes later hears that behind it', async (prefix) => {
    const channel = fresh(prefix);
    const witness = await joined(here, channel, 'witness');
    const joiner = await here.connect();
    await say(channel, 'before');
    await witness.receive('said');
    await gate.without('directory', async () => {
      joiner.send(joiner.subscription(channel, member(channel, 'joiner')));
      await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(2);
      const guest = await joined(elsewhere, channel, 'guest');
      await say(channel, 'after');
      await guest.disconnect();
      await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(2);
      // All that has reached this node, where the joiner still waits.
      await caughtUp(elsewhere.http, channel, [witness]);
      await joiner.settle();
      expect(joiner.count(ACKNOWLEDGED)).toBe(0);
    });
    const acknowledgement = await joiner.receive(ACKNOWLEDGED);
    await caughtUp(elsewhere.http, channel, [joiner]);
    const guest = (change: string) => (prefix.startsWith('presence-') ? [change] : []);
    const later = [...guest('+guest'), 'after', ...guest('-guest')];
    const cached = prefix.includes('cache-') ? ['before'] : [];
    expect(story(joiner, channel)).toEqual([...cached, ...later]);
    if (prefix.startsWith('presence-')) expect(presenceIn(acknowledgement).ids).toEqual(['witness', 'joiner']);
  });

  it.each(PREFIXES)('%s… that overtakes what its answer tells does not hear that again', async (prefix) => {
    const channel = fresh(prefix);
    const witness = await joined(here, channel, 'witness');
    const joiner = await here.connect();
    let ids: readonly string[] = [];
    await gate.without('subscribe', async () => {
      const guest = await joined(elsewhere, channel, 'guest');
      await joined(elsewhere, channel, 'stayer');
      await say(channel, 'before');
      await guest.disconnect();
      await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(2);
      const acknowledgement = await joiner.subscribe(channel, member(channel, 'joiner'));
      if (prefix.startsWith('presence-')) ({ ids } = presenceIn(acknowledgement));
    });
    await caughtUp(elsewhere.http, channel, [witness, joiner]);
    // Without a cache the event is simply one that arrives after the acknowledgement.
    expect(story(joiner, channel)).toEqual(['before']);
    if (!prefix.startsWith('presence-')) return;
    expect(ids).toEqual(['witness', 'stayer', 'joiner']);
    const told = ['+guest', '+stayer', 'before', '-guest', '+joiner'];
    expect(story(witness, channel).filter((entry) => told.includes(String(entry)))).toEqual(told);
  });

  it('that is the first one of its node is not in it before its node hears it', async () => {
    const [channel, known] = [fresh(''), fresh('')];
    const joiner = await here.connect();
    await joined(here, known, '');
    await gate.without('subscribe', async () => {
      joiner.send(joiner.subscription(channel));
      await joiner.settle();
      // Asked after the other one, and answered.
      await joined(here, known, '');
      expect(await subscriptionsIn(channel)).toBe(0);
      expect(joiner.count(ACKNOWLEDGED)).toBe(0);
    });
    await joiner.receive(ACKNOWLEDGED);
    await say(channel, 'after');
    await caughtUp(elsewhere.http, channel, [joiner]);
    expect(story(joiner, channel)).toEqual(['after']);
  });
});
