import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';

const FAST = { id: '2', key: 'fast', secret: 'fast-secret' };
const SLOW = { id: '3', key: 'slow', secret: 'slow-secret' };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    apps: [APP, { ...FAST, userAuthenticationTimeoutMs: 1_500 }, { ...SLOW, userAuthenticationTimeoutMs: 60_000 }],
  });
});
afterAll(() => gateway.stop());

const connect = (app: typeof FAST) => gateway.dial(gateway.url(app.key), { app }).established();

describe('user_authentication_timeout', () => {
  it('closes who has not been authorized by then, and says why', async () => {
    const client = await connect(FAST);
    expect(await client.receive('pusher:error')).toEqual({
      event: 'pusher:error',
      data: { code: 4009, message: 'Connection not authorized within timeout' },
    });
    expect(await client.closing()).toEqual({ code: 4009, reason: 'Connection not authorized within timeout' });
  });

  it('does not count public channels and what was refused', async () => {
    const client = await connect(FAST);
    await client.subscribe('public');
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth: 'fast:00' } });
    client.send({ event: 'pusher:signin', data: { auth: 'fast:00', user_data: '{"id":"ada"}' } });
    expect((await client.closing()).code).toBe(4009);
    expect(client.received.filter(({ event }) => event === 'pusher:error')).toHaveLength(3);
  });

  it('leaves those alone who were authorized, apps without it, and apps that give more time', async () => {
    const signedIn = await connect(FAST);
    await signedIn.signin({ id: 'ada' });
    const inPrivate = await connect(FAST);
    await inPrivate.subscribe('private-room');
    inPrivate.unsubscribe('private-room');
    const present = await connect(FAST);
    await present.subscribe('presence-room', { user_id: 'bob' });
    const elsewhere = [await gateway.connect(), await connect(SLOW)];
    // Behind all of them.
    for (let i = 0; i < 3; i++) expect((await (await connect(FAST)).closing()).code).toBe(4009);
    for (const client of [signedIn, inPrivate, present, ...elsewhere]) await client.subscribe('still-there');
  });
});
