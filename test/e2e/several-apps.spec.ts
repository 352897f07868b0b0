import { parseAllowedOrigins, type AppSettings } from '@pogo/hub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedGateway, configOf } from '../support/embedded.js';
import { GatewayModule, loadConfig } from '@pogo/gateway';
import type { Client } from '../support/client.js';
import { StillClock } from '../support/still-clock.js';

const WIDE = { id: 'wide', key: 'wide-key', secret: 'wide-secret' };
const TIGHT = { id: 'tight', key: 'tight-key', secret: 'tight-secret' };

const apps: AppSettings[] = [
  WIDE,
  {
    ...TIGHT,
    clientEvents: false,
    maxConnections: 3,
    maxChannelsPerConnection: 3,
    httpRateLimit: 5,
    cacheTtlMs: 1,
    allowedOrigins: parseAllowedOrigins(['https://tight.example']),
    limits: { maxEventBytes: 10, maxEventNameLength: 12, maxChannelNameLength: 20, presenceMaxMembers: 1 },
  },
];

let gateway: EmbeddedGateway;
beforeAll(async () => {
  const environment = { POGO_WS_HANDSHAKE_RATE: '-1' };
  gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: loadConfig(environment, { apps }) }));
});
afterAll(() => gateway.stop());

const both = () => Promise.all([gateway.connect(WIDE), gateway.connect(TIGHT, { origin: 'https://tight.example' })]);

async function errorOf(client: Client): Promise<unknown> {
  return (await client.receive('pusher:error')).data;
}

describe('Two apps in one server', () => {
  it('have channels, members and users of the same names apart', async () => {
    const [wide, tight] = await both();
    await wide.subscribe('presence-room', { user_id: 'ada' });
    const { data } = await tight.subscribe('presence-room', { user_id: 'bob' });
    expect(data).toContain('"ids":["bob"]'.replaceAll('"', '"'));
    await gateway.http(WIDE).publish('presence-room', 'only-wide', '1');
    await wide.receive('only-wide');
    expect((await tight.settle()).map(({ event }) => event)).not.toContain('only-wide');
    expect((await gateway.http(WIDE).get('/channels/presence-room/users')).body).toEqual({ users: [{ id: 'ada' }] });
    expect((await gateway.http(TIGHT).get('/channels/presence-room/users')).body).toEqual({ users: [{ id: 'bob' }] });
    await Promise.all([wide.disconnect(), tight.disconnect()]);
  });

  it('sign for themselves alone', async () => {
    const stranger = await gateway.dial(WIDE, { app: TIGHT }).established();
    stranger.send(stranger.subscription('private-room'));
    expect(await errorOf(stranger)).toMatchObject({ code: 4009 });
    const { status } = await gateway.http({ ...WIDE, secret: TIGHT.secret }).publish('room', 'event', 'x');
    expect(status).toBe(401);
    await stranger.disconnect();
  });

  it('have their own switches and limits', async () => {
    const [wide, tight] = await both();
    for (const client of [wide, tight]) await client.subscribe('private-room');
    for (const client of [wide, tight]) client.send({ event: 'client-hello', channel: 'private-room', data: 'x' });
    expect(await errorOf(tight)).toMatchObject({ code: 4301 });
    expect((await wide.settle()).map(({ event }) => event)).not.toContain('pusher:error');

    const wideApi = gateway.http(WIDE);
    const tightApi = gateway.http(TIGHT);
    const long = 'x'.repeat(11);
    expect((await wideApi.publish('private-room', 'event', long)).status).toBe(200);
    expect((await tightApi.publish('private-room', 'event', long)).status).toBe(413);
    expect((await tightApi.publish('private-room', 'x'.repeat(13), 'x')).status).toBe(422);
    expect((await wideApi.publish('x'.repeat(21), 'event', 'x')).status).toBe(200);
    expect((await tightApi.publish('x'.repeat(21), 'event', 'x')).status).toBe(422);

    tight.send(tight.subscription('x'.repeat(21)));
    expect(await tight.receive('pusher:subscription_error')).toMatchObject({ data: { status: 400 } });
    await tight.subscribe('second');
    await tight.subscribe('third');
    tight.send(tight.subscription('fourth'));
    expect(await tight.receive('pusher:subscription_error')).toMatchObject({ data: { status: 403 } });
    await Promise.all([wide.disconnect(), tight.disconnect()]);
  });

  it('let in as many, and from where they say', async () => {
    const all = [];
    for (let i = 0; i < 3; i++) all.push(await gateway.connect(TIGHT, { origin: 'https://tight.example' }));
    expect((await gateway.dial(TIGHT, { origin: 'https://tight.example' }).closing()).code).toBe(4004);
    expect((await gateway.dial(TIGHT, { origin: 'https://wide.example' }).closing()).code).toBe(4009);
    for (let i = 0; i < 5; i++) all.push(await gateway.connect(WIDE, { origin: 'https://wide.example' }));
    for (const client of all) await client.disconnect();
  });

  it('have requests counted for themselves', async () => {
    new StillClock();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => gateway.http(TIGHT).get('/channels')));
    expect(statuses.map(({ status }) => status)).toContain(429);
    expect((await gateway.http(WIDE).get('/channels')).status).toBe(200);
  });

  it('cannot share an id or a key', () => {
    expect(() => configOf({ app_id: 'same' })).not.toThrow();
    const twins = [WIDE, { ...TIGHT, key: WIDE.key }];
    expect(() => loadConfig({}, { apps: twins })).toThrow('two apps have the key "wide-key"');
    expect(() => loadConfig({}, { apps: [WIDE, { ...TIGHT, id: WIDE.id }] })).toThrow('two apps have the id "wide"');
  });
});
