import { GatewayModule } from '@pogo/gateway';
import { AppProvider, completeApp, type App, type AppChange, type AppSettings } from '@pogo/hub';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { configOf, EmbeddedGateway } from '../support/embedded.js';

const GOOD = { id: 'good', key: 'good-key', secret: 'good-secret' };
const BAD = { id: 'bad', key: 'bad-key', secret: 'bad-secret' };

/** Knows one app, and is what the test wants it to be when it is asked about any other. */
class UnsteadyApps extends AppProvider {
  /** The test decides when an answer is too old: always. */
  override readonly cacheTtlMs = 0;
  apps: readonly AppSettings[] = [GOOD];
  /** Instead of the list, for those who are asked about. */
  answer: (name: string) => unknown = (name) => this.find(name);
  listener: (change: AppChange) => void = () => undefined;

  findById(id: string): Promise<App | undefined> {
    return this.answer(id) as Promise<App | undefined>;
  }

  findByKey(key: string): Promise<App | undefined> {
    return this.answer(key) as Promise<App | undefined>;
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  find(name: string): Promise<App | undefined> {
    const found = this.apps.find(({ id, key }) => id === name || key === name);
    return Promise.resolve(found && completeApp(found));
  }
}

let apps: UnsteadyApps;
let gateway: EmbeddedGateway;

beforeEach(async () => {
  apps = new UnsteadyApps();
  const config = configOf({ auth_timeout: '100ms' });
  gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config, apps: { useValue: apps } }));
});
afterEach(() => gateway.stop());

/** Publishes in every way there is, and that `client` hears all of it. */
async function expectService(client: Client, channel: string): Promise<void> {
  expect(await gateway.http(GOOD).publish(channel, 'by-http', '1')).toMatchObject({ status: 200 });
  expect(await gateway.hub.publish(GOOD.id, channel, 'by-hub', '1')).toBe(0);
  await client.receive('by-http');
  await client.receive('by-hub');
}

async function refusal(app: typeof BAD): Promise<string> {
  const client = gateway.dial(app);
  const error = await client.established().then(
    () => new Error('established'),
    (thrown: unknown) => thrown as Error,
  );
  return error.message;
}

const fail = (error: unknown): never => {
  throw error;
};

describe('An app provider that fails', () => {
  it.each<[string, () => unknown]>([
    ['throws', () => fail(new Error('the pool is closed'))],
    ['throws what nobody can print', () => fail(Object.create(null))],
    ['rejects', () => Promise.reject(new Error('the database is away'))],
    ['hangs', () => new Promise(() => undefined)],
    ['hangs as a thenable', () => ({ then: () => undefined })],
    ['answers a text', () => 'app'],
    ['answers another app', () => completeApp(GOOD)],
    ['answers a row without a secret', () => ({ ...completeApp(BAD), secret: null })],
    ['answers limits that are none', () => ({ ...completeApp(BAD), limits: { maxEventBytes: '1000' } })],
  ])('refuses its own clients and requests, and nobody else’s: %s', async (_how, answer) => {
    apps.answer = (name) => (name.startsWith('bad') ? answer() : apps.find(name));
    const client = await gateway.connect(GOOD);
    await client.subscribe('room');

    expect(await refusal(BAD)).toContain('503');
    expect(await gateway.http(BAD).publish('room', 'event', 'x')).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('temporarily unavailable') as string },
    });
    expect(await gateway.hub.publish(BAD.id, 'room', 'event', 'x')).toBe(6);
    expect(await gateway.hub.publishMany(BAD.id, ['room', 'other'], 'event', 'x')).toBe(6);
    expect(gateway.log.lines.filter((line) => line.includes('an app could not be looked up'))).toHaveLength(1);
    expect(gateway.log.lines.join()).not.toContain(BAD.secret);

    await expectService(client, 'room');
    await (await gateway.connect(GOOD)).subscribe('room');
    expect((await fetch(gateway.url('/up'))).status).toBe(200);
  });

  it('can be asked in vain very often, and the node still lets others in', async () => {
    apps.answer = (name) => (name.startsWith('bad') ? new Promise(() => undefined) : apps.find(name));
    const refused = await Promise.all(Array.from({ length: 400 }, (_, i) => refusal({ ...BAD, key: `bad-${i}` })));
    expect(refused.filter((message) => !message.includes('503'))).toEqual([]);
    const client = await gateway.connect(GOOD);
    await client.subscribe('room');
    await expectService(client, 'room');
  });

  it('costs nothing to apps that were known before', async () => {
    const client = await gateway.connect(GOOD);
    await client.subscribe('room');
    await expectService(client, 'room');
    apps.answer = () => Promise.reject(new Error('the database is away'));
    await expectService(client, 'room');
    const another = await gateway.connect(GOOD);
    await another.subscribe('room');
    await expectService(another, 'room');
    expect(await refusal(BAD)).toContain('503');
  });

  it('is asked again, and believed when it answers', async () => {
    apps.answer = () => Promise.reject(new Error('the database is away'));
    expect(await refusal(GOOD)).toContain('503');
    apps.answer = (name) => apps.find(name);
    const client = await gateway.connect(GOOD);
    await client.subscribe('room');
    await expectService(client, 'room');
  });
});

describe('An app that changes while clients are connected', () => {
  /** How the server gets to know: it is told, or finds out when the app is next looked up. */
  const WAYS: readonly [string, (change: AppChange['change']) => void][] = [
    ['told', (change) => apps.listener({ appId: GOOD.id, change })],
    ['told of something', () => apps.listener({ appId: GOOD.id, change: 'updated' })],
    ['not told', () => void gateway.http(GOOD).publish('room', 'event', 'x')],
  ];

  describe.each(WAYS)('of which the server is %s', (_way, tell) => {
    let client: Client;

    beforeEach(async () => {
      apps.apps = [GOOD, BAD];
      client = await gateway.connect(GOOD);
      await client.subscribe('room');
      await gateway.http(GOOD).get('/channels');
    });

    it('and is removed: its clients are told 4001, and others stay', async () => {
      const other = await gateway.connect(BAD);
      apps.apps = [BAD];
      tell('removed');
      expect(await client.closing()).toMatchObject({ code: 4001 });
      expect(await gateway.dial(GOOD).closing()).toMatchObject({ code: 4001 });
      expect((await gateway.http(GOOD).publish('room', 'event', 'x')).status).toBe(404);
      expect(await gateway.hub.publish(GOOD.id, 'room', 'event', 'x')).toBe(1);
      await other.subscribe('room');
    });

    it('and is disabled: its clients are told 4003, until it is enabled again', async () => {
      apps.apps = [{ ...GOOD, enabled: false }, BAD];
      tell('disabled');
      expect(await client.closing()).toMatchObject({ code: 4003 });
      expect(await gateway.dial(GOOD).closing()).toMatchObject({ code: 4003 });
      expect((await gateway.http(GOOD).publish('room', 'event', 'x')).status).toBe(404);
      apps.apps = [GOOD, BAD];
      tell('updated');
      await (await gateway.connect(GOOD)).subscribe('room');
    });

    it('and has new limits: they apply to its requests, and to clients that are there', async () => {
      apps.apps = [{ ...GOOD, clientEvents: false, maxChannelsPerConnection: 1, limits: { maxEventBytes: 10 } }, BAD];
      tell('updated');
      expect((await gateway.http(GOOD).publish('room', 'event', 'x'.repeat(11))).status).toBe(413);
      expect(await gateway.hub.publish(GOOD.id, 'room', 'event', 'x'.repeat(11))).toBe(4);
      client.send(client.subscription('another'));
      expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ type: 'LimitReached' });
      client.unsubscribe('room');
      await client.subscribe('private-room');
      client.send({ event: 'client-hello', channel: 'private-room', data: '1' });
      expect((await client.receive((m) => JSON.stringify(m.data).includes('4301'))).event).toBe('pusher:error');
    });

    it('and has another key: clients that are there stay, and come back with the new one', async () => {
      const renewed = { ...GOOD, key: 'good-key-2', secret: 'good-secret-2' };
      apps.apps = [renewed, BAD];
      tell('updated');
      expect(await gateway.dial(GOOD).closing()).toMatchObject({ code: 4001 });
      await client.subscribe('still-here');
      const another = await gateway.connect(renewed);
      await another.subscribe('private-room');
      expect((await gateway.http(GOOD).publish('still-here', 'event', 'x')).status).toBe(401);
      expect((await gateway.http(renewed).publish('still-here', 'renewed', 'x')).status).toBe(200);
      await client.receive('renewed');
    });
  });
});
