import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { HttpApi } from '../support/http-api.js';

const ONE = { id: 'one', key: 'key-one', secret: 'secret-one' };
const TWO = { id: 'two', key: 'key-two', secret: 'secret-two' };

let gateway: TestGateway;
let api: HttpApi;
beforeAll(async () => {
  gateway = await TestGateway.start({ apps: [ONE, TWO] });
  api = new HttpApi(`http://127.0.0.1:${gateway.port}`, ONE);
});
afterAll(() => gateway.stop());

const connect = (app: typeof ONE): Promise<Client> => gateway.dial(gateway.url(app.key), { app }).established();

/** A client of each app in the channel of the same name; what happens in the first must not show in the second. */
async function neighbours(channel: string, userId?: string): Promise<[Client, Client]> {
  const clients: [Client, Client] = [await connect(ONE), await connect(TWO)];
  for (const client of clients) await client.subscribe(channel, userId === undefined ? undefined : { user_id: userId });
  return clients;
}

/** Everything that a client got after its acknowledgement. */
async function newsOf(client: Client): Promise<string[]> {
  const names = (await client.settle()).map(({ event }) => event);
  return names.slice(names.lastIndexOf('pusher_internal:subscription_succeeded') + 1);
}

describe('two apps on one server', () => {
  it.each(['room', 'private-room', 'private-encrypted-room'])(
    'do not see each other’s events in %s',
    async (channel) => {
      const [one, two] = await neighbours(channel);
      await api.publish(channel, 'event', 'x');
      await one.receive('event');
      expect(await newsOf(two)).toEqual([]);
    },
  );

  it('do not see each other’s client events and members', async () => {
    const [one, two] = await neighbours('presence-room', 'ada');
    const other = await connect(ONE);
    await other.subscribe('presence-room', { user_id: 'bob' });
    await one.receive('pusher_internal:member_added');
    other.send({ event: 'client-x', channel: 'presence-room', data: 1 });
    await one.receive('client-x');
    await other.disconnect();
    await one.receive('pusher_internal:member_removed');
    expect(await newsOf(two)).toEqual([]);
    const { body } = await new HttpApi(`http://127.0.0.1:${gateway.port}`, TWO).get('/channels/presence-room/users');
    expect(body).toEqual({ users: [{ id: 'ada' }] });
  });

  it('do not see each other’s cached events', async () => {
    await api.publish('cache-room', 'event', 'x');
    const two = await connect(TWO);
    await two.subscribe('cache-room');
    expect(await newsOf(two)).toEqual(['pusher:cache_miss']);
  });

  it('do not end each other’s users, and count only their own connections', async () => {
    const [one, two] = await neighbours('presence-users', 'eve');
    for (const client of [one, two]) await client.signin({ id: 'eve' });
    await api.post('/users/eve/terminate_connections', {});
    expect((await one.closing()).code).toBe(4009);
    expect((await two.settle()).map(({ event }) => event)).not.toContain('pusher:error');
    const ofOne = (await api.get('/connections')).body as { connections: number };
    await connect(TWO);
    expect((await api.get('/connections')).body).toEqual(ofOne);
  });

  it('do not accept each other’s signatures', async () => {
    const forged = gateway.dial(gateway.url(TWO.key), { app: ONE });
    await forged.established();
    forged.send(forged.subscription('private-room'));
    expect((await forged.receive('pusher:subscription_error')).data).toMatchObject({ type: 'AuthError', status: 401 });
    const asTwo = new HttpApi(`http://127.0.0.1:${gateway.port}`, { ...ONE, id: TWO.id });
    expect((await asTwo.get('/channels')).status).toBe(401);
  });
});
