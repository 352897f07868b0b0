import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { ACKNOWLEDGED, ADDED, REMOVED } from '../support/observer.js';

/** One more than a JavaScript number can be told from its neighbour. */
const BIG = '9007199254740993';
/** A dead node's members are removed within 15 s. */
const REAPING_TIMEOUT_MS = 60_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ nodes: 2, settings: { dialect: 'reverb' } });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

/** A client on each of the two nodes. */
async function connectToBoth(): Promise<[Client, Client]> {
  const clients = await Promise.all([cluster.node(0).connect(), cluster.node(1).connect()]);
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.disconnect()));
  });
  return clients;
}

/** Subscribes with an id exactly as it is written; resolves to the data of the acknowledgement. */
async function joinAs(client: Client, channel: string, idJson: string): Promise<unknown> {
  const channelData = `{"user_id":${idJson},"user_info":{"n":1}}`;
  const auth = signChannel(APP, client.socketId, channel, channelData);
  client.send({ event: 'pusher:subscribe', data: { channel, auth, channel_data: channelData } });
  return (await client.receive(ACKNOWLEDGED)).data;
}

const dataOf = async (client: Client, event: string) => (await client.receive(event)).data;

describe('ids that are numbers, of members on two nodes that speak reverb', () => {
  it('are numbers for joiners, those before them, and whoever asks, on either node', async () => {
    const [one, other] = await connectToBoth();
    const channel = 'presence-room';
    await joinAs(one, channel, '"7"');
    expect(await joinAs(other, channel, BIG)).toBe(
      `{"presence":{"count":2,"ids":["7",${BIG}],"hash":{"7":{"n":1},"${BIG}":{"n":1}}}}`,
    );
    expect(await dataOf(one, ADDED)).toBe(`{"user_id":${BIG},"user_info":{"n":1}}`);
    other.unsubscribe(channel);
    expect(await dataOf(one, REMOVED)).toBe(`{"user_id":${BIG}}`);
    await joinAs(other, channel, '8');
    for (const node of [0, 1]) {
      const { body } = await cluster.node(node).http.get(`/channels/${channel}/users`);
      expect(body).toEqual({ users: [{ id: '7' }, { id: 8 }] });
    }
  });

  it('are those of the first tab, on whatever node it is', async () => {
    const [tab, secondTab] = await connectToBoth();
    const [watcher] = await connectToBoth();
    await joinAs(watcher, 'presence-tabs', '0');
    await joinAs(tab, 'presence-tabs', '7');
    expect(await joinAs(secondTab, 'presence-tabs', '"7"')).toContain('"ids":[0,7]');
    await tab.disconnect();
    await secondTab.disconnect();
    expect(await dataOf(watcher, REMOVED)).toBe('{"user_id":7}');
  });

  it('say who sent a client event', async () => {
    const [one, other] = await connectToBoth();
    await joinAs(one, 'presence-chat', '1');
    await joinAs(other, 'presence-chat', '2');
    one.send({ event: 'client-x', channel: 'presence-chat', data: {} });
    expect(await other.receive('client-x')).toMatchObject({ user_id: 1 });
  });

  it(
    'leave as numbers when their node is killed',
    async () => {
      const [watcher, doomed] = await connectToBoth();
      await joinAs(watcher, 'presence-doomed', '1');
      await joinAs(doomed, 'presence-doomed', '2');
      await cluster.restartNode(1);
      expect(await dataOf(watcher, REMOVED)).toBe('{"user_id":2}');
    },
    REAPING_TIMEOUT_MS,
  );
});
