import { signUser } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1' } });
});
afterAll(() => gateway.stop());

describe('users', () => {
  it('sign in with a signature and get their user data back', async () => {
    const client = await gateway.connect();
    const userData = { id: 'ada', user_info: { name: 'Ada' }, watchlist: ['bob'] };
    expect(await client.signin(userData)).toEqual({
      event: 'pusher:signin_success',
      data: { user_data: JSON.stringify(userData) },
    });
  });

  it.each([
    ['a wrong signature', (socketId: string) => ({ auth: `${APP.key}:00`, user_data: `{"id":"${socketId}"}` })],
    ['another socket’s signature', () => signed('1.1', '{"id":"ada"}')],
    ['no id', (socketId: string) => signed(socketId, '{}')],
    ['an empty id', (socketId: string) => signed(socketId, '{"id":""}')],
    ['a number as id', (socketId: string) => signed(socketId, '{"id":1}')],
    ['an id that is too long', (socketId: string) => signed(socketId, JSON.stringify({ id: 'x'.repeat(129) }))],
    ['a watchlist of numbers', (socketId: string) => signed(socketId, '{"id":"ada","watchlist":[1]}')],
  ])('are refused with %s, and stay connected', async (_name, dataFor) => {
    const client = await gateway.connect();
    client.send({ event: 'pusher:signin', data: dataFor(client.socketId) });
    expect((await client.receive('pusher:error')).data).toEqual({
      code: 4009,
      message: 'Signin authentication failed',
    });
    await client.subscribe('room');
  });

  it('may sign in again as themselves and not as somebody else', async () => {
    const client = await gateway.connect();
    await client.signin({ id: 'ada' });
    expect((await client.signin({ id: 'ada' })).event).toBe('pusher:signin_success');
    expect((await client.signin({ id: 'bob' })).data).toEqual({ code: 4009, message: 'Signin authentication failed' });
    await client.subscribe('#server-to-user-ada');
  });

  it('get what is sent to them on all their connections, and nobody else does', async () => {
    const [tab1, tab2, other] = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    const id = 'ada lovelace/ü';
    for (const tab of [tab1, tab2]) {
      await tab.signin({ id });
      await tab.subscribe(`#server-to-user-${id}`);
    }
    await other.signin({ id: 'bob' });
    other.send({ event: 'pusher:subscribe', data: { channel: `#server-to-user-${id}` } });
    expect((await other.receive('pusher:subscription_error')).data).toMatchObject({ type: 'AuthError', status: 401 });
    await gateway.http.publish(`#server-to-user-${id}`, 'invoice', { n: 1 });
    for (const tab of [tab1, tab2]) expect((await tab.receive('invoice')).data).toBe('{"n":1}');
    await other.settle();
    expect(other.count('invoice')).toBe(0);
    const { body } = await gateway.http.get('/channels');
    expect(JSON.stringify(body)).not.toContain('server-to-user');
  });

  it('are disconnected by the app on every connection, signed in or member', async () => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => gateway.connect()));
    const [signedIn, member, other] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
    await signedIn.signin({ id: 'eve x' });
    await member.subscribe('presence-room', { user_id: 'eve x' });
    await other.subscribe('presence-room', { user_id: 'bob' });
    expect(await gateway.http.post('/users/eve%20x/terminate_connections', {})).toMatchObject({
      status: 200,
      body: {},
    });
    for (const client of [signedIn, member]) {
      expect(await client.closing()).toEqual({ code: 4009, reason: 'You got disconnected by the app.' });
      expect(client.received.at(-1)).toEqual({
        event: 'pusher:error',
        data: { code: 4009, message: 'You got disconnected by the app.' },
      });
    }
    await other.receive('pusher_internal:member_removed');
    await other.settle();
  });
});

function signed(socketId: string, userData: string): object {
  return { auth: signUser(APP, socketId, userData), user_data: userData };
}
