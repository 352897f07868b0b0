import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataOf, type Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
let room = 0;
const nextRoom = () => `presence-room-${++room}`;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { presence_max_members: '3' } });
});
afterAll(() => gateway.stop());

async function refused(client: Client, channel: string, channelData: string): Promise<unknown> {
  const auth = signChannel(APP, client.socketId, channel, channelData);
  client.send({ event: 'pusher:subscribe', data: { channel, auth, channel_data: channelData } });
  return (await client.receive('pusher:subscription_error')).data;
}

describe('presence channels', () => {
  it('give the joiner all members, with a hash entry for each', async () => {
    const channel = nextRoom();
    const [a, b] = [await gateway.connect(), await gateway.connect()];
    await a.subscribe(channel, { user_id: 7, user_info: { name: 'Ada' } });
    const acknowledged = await b.subscribe(channel, { user_id: '__proto__' });
    expect(acknowledged.data).toBe(
      '{"presence":{"count":2,"ids":["7","__proto__"],"hash":{"7":{"name":"Ada"},"__proto__":{}}}}',
    );
  });

  it('announce a newcomer to the others only, and a departure when it happens', async () => {
    const channel = nextRoom();
    const [a, b] = [await gateway.connect(), await gateway.connect()];
    await a.subscribe(channel, { user_id: 'a' });
    await b.subscribe(channel, { user_id: 'b', user_info: { n: 1 } });
    const added = await a.receive('pusher_internal:member_added');
    expect([added.channel, dataOf(added)]).toEqual([channel, { user_id: 'b', user_info: { n: 1 } }]);
    await b.settle();
    expect(b.count('pusher_internal:member_added')).toBe(0);
    await b.disconnect();
    expect(dataOf(await a.receive('pusher_internal:member_removed'))).toEqual({ user_id: 'b' });
  });

  it('let a second tab join and leave silently', async () => {
    const channel = nextRoom();
    const [watcher, tab1, tab2] = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    await watcher.subscribe(channel, { user_id: 'w' });
    await tab1.subscribe(channel, { user_id: 'u', user_info: 'first' });
    await tab2.subscribe(channel, { user_id: 'u', user_info: 'second' });
    await tab1.disconnect();
    await gateway.http.publish(channel, 'marker', '1');
    await watcher.receive('marker');
    expect(watcher.count('pusher_internal:member_added')).toBe(1);
    expect(watcher.count('pusher_internal:member_removed')).toBe(0);
    const { body } = await gateway.http.get(`/channels/${channel}/users`, { with_user_info: '1' });
    expect(body).toEqual({
      users: [
        { id: 'w', user_info: {} },
        { id: 'u', user_info: 'first' },
      ],
    });
    tab2.unsubscribe(channel);
    await watcher.receive('pusher_internal:member_removed');
  });

  it('acknowledge the same member again and refuse another one on the same connection', async () => {
    const channel = nextRoom();
    const client = await gateway.connect();
    await client.subscribe(channel, { user_id: '1' });
    await client.subscribe(channel, { user_id: 1 });
    expect(await refused(client, channel, '{"user_id":"2"}')).toMatchObject({ type: 'AuthError', status: 401 });
    const { body } = await gateway.http.get(`/channels/${channel}`, { info: 'user_count,subscription_count' });
    expect(body).toEqual({ occupied: true, user_count: 1, subscription_count: 1 });
  });

  it.each(['not json', '[]', '{}', '{"user_id":""}', '{"user_id":null}', '{"user_id":["1"]}', '{"user_id":true}'])(
    'refuse channel_data %s',
    async (channelData) => {
      expect(await refused(await gateway.connect(), nextRoom(), channelData)).toMatchObject({
        type: 'AuthError',
        status: 401,
      });
    },
  );

  it.each([
    ['a user_id over its limit', { user_id: 'ü'.repeat(65) }, '128 bytes'],
    ['user_info over its limit', { user_id: '1', user_info: 'x'.repeat(2_048) }, '2048 bytes'],
  ])('refuse %s and name the limit', async (_name, member, limit) => {
    const answer = await refused(await gateway.connect(), nextRoom(), JSON.stringify(member));
    expect(answer).toMatchObject({
      type: 'LimitReached',
      status: 403,
      error: expect.stringContaining(limit) as string,
    });
  });

  it('refuse one member too many, but not another tab of a member', async () => {
    const channel = nextRoom();
    const clients = await Promise.all(Array.from({ length: 5 }, () => gateway.connect()));
    for (const [i, client] of clients.slice(0, 3).entries()) await client.subscribe(channel, { user_id: i });
    const [fourth, tab] = clients.slice(3) as [Client, Client];
    expect(await refused(fourth, channel, '{"user_id":"3"}')).toMatchObject({ type: 'LimitReached', status: 403 });
    await tab.subscribe(channel, { user_id: 0 });
    await clients[1]?.disconnect();
    await tab.receive('pusher_internal:member_removed');
    await fourth.subscribe(channel, { user_id: '3' });
  });

  it('take a signed-in user as the member when there is no channel_data', async () => {
    const channel = nextRoom();
    const [watcher, client] = [await gateway.connect(), await gateway.connect()];
    await watcher.subscribe(channel, { user_id: 'w' });
    client.send(client.subscription(channel));
    expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ type: 'AuthError' });
    await client.signin({ id: 'ada', user_info: { name: 'Ada' } });
    await client.subscribe(channel);
    expect(dataOf(await watcher.receive('pusher_internal:member_added'))).toEqual({
      user_id: 'ada',
      user_info: { name: 'Ada' },
    });
  });
});
