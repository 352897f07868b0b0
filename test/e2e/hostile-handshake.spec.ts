import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { frame, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';
import { StillClock } from '../support/still-clock.js';

const APP_PATH = '/app/test-key';
const PING = frame('{"event":"pusher:ping","data":{}}');

describe('a hostile handshake', () => {
  let gateway: TestGateway;
  const crashes: unknown[] = [];
  const dialled: RawSocket[] = [];
  const onCrash = (error: unknown) => crashes.push(error);

  beforeAll(async () => {
    process.on('uncaughtException', onCrash);
    gateway = await TestGateway.start();
  });
  afterEach(async () => {
    for (const raw of dialled.splice(0)) raw.destroy();
    expect(crashes.splice(0)).toEqual([]);
    await expectServed(gateway);
    await untilConnections(gateway, 0);
  });
  afterAll(async () => {
    await gateway.stop();
    process.off('uncaughtException', onCrash);
  });

  async function dial(request: string | Buffer): Promise<RawSocket> {
    const raw = await RawSocket.dial(gateway.port);
    dialled.push(raw);
    raw.write(request);
    return raw;
  }

  it.each<[string, number, string]>([
    ['without a key', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Key': undefined })],
    ['with a key that is too short', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Key': 'c2hvcnQ=' })],
    ['with a key that is no base64', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Key': '?'.repeat(24) })],
    ['without a version', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Version': undefined })],
    ['with a version of the future', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Version': '14' })],
    ['with a version that is no number', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Version': 'x' })],
    ['with malformed subprotocols', 400, upgradeRequest(APP_PATH, { 'Sec-WebSocket-Protocol': ',,' })],
    ['without a host', 400, upgradeRequest(APP_PATH, { Host: undefined })],
    ['by POST', 405, upgradeRequest(APP_PATH, { 'Content-Length': '0' }, `POST ${APP_PATH} HTTP/1.1`)],
    ['by PUT', 405, upgradeRequest(APP_PATH, { 'Content-Length': '0' }, `PUT ${APP_PATH} HTTP/1.1`)],
    ['in HTTP/1.0, which has no upgrades', 400, upgradeRequest(APP_PATH, {}, `GET ${APP_PATH} HTTP/1.0`)],
    ['without an upgrade', 426, upgradeRequest(APP_PATH, { Upgrade: undefined, Connection: 'close' })],
    ['without a key and for no path', 400, upgradeRequest('/nowhere', { 'Sec-WebSocket-Key': undefined })],
    ['with headers that are too long', 431, upgradeRequest(APP_PATH, { Cookie: 'a'.repeat(20_000) })],
    ['for a path that is too long', 431, upgradeRequest(`/app/${'a'.repeat(20_000)}`)],
    ['with a line break in the path', 400, upgradeRequest('/app/test-key\n')],
  ])('%s is answered with %i and cut off', async (_what, status, request) => {
    const raw = await dial(request);
    await raw.until(({ head }) => (head === '' ? undefined : head));
    expect(raw.statusLine).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await raw.ended();
    expect(raw.frames).toEqual([]);
  });

  it.each<[string, number, string]>([
    ['an unknown path', 4005, '/nowhere'],
    ['the path of the HTTP API', 4005, '/apps/1/events'],
    ['the root', 4005, '/'],
    ['no key', 4005, '/app/'],
    ['a path below the key', 4005, '/app/test-key/more'],
    ['a path on the way up', 4005, '/app/../test-key'],
    ['a key that cannot be decoded', 4005, '/app/%zz'],
    ['a target that is no URL', 4005, '//'],
    ['an unknown key', 4001, '/app/nobody'],
    ['the prototype as key', 4001, '/app/__proto__'],
    ['the constructor as key', 4001, '/app/constructor'],
    ['a key with a zero', 4001, '/app/test-key%00'],
    ['a key of ten thousand letters', 4001, `/app/${'a'.repeat(10_000)}`],
    ['a protocol that is no number', 4006, '/app/test-key?protocol=seven'],
    ['an empty protocol', 4006, '/app/test-key?protocol='],
    ['a protocol beyond all numbers', 4007, `/app/test-key?protocol=${'9'.repeat(400)}`],
    ['protocol zero', 4007, '/app/test-key?protocol=0'],
  ])('for %s is refused with %i inside WebSocket', async (_what, code, target) => {
    const raw = await dial(upgradeRequest(target));
    expect(await raw.closeCode()).toBe(code);
    expect(raw.messages()).toMatchObject([{ event: 'pusher:error', data: { code } }]);
  });

  it('may bring its first messages along', async () => {
    const raw = await dial(Buffer.concat([Buffer.from(upgradeRequest(APP_PATH)), PING]));
    await raw.message('pusher:pong');
    expect(raw.messages().map(({ event }) => event)).toEqual(['pusher:connection_established', 'pusher:pong']);
  });

  it('that brings garbage along is closed with 1002', async () => {
    const raw = await dial(`${upgradeRequest(APP_PATH)}GET / HTTP/1.1\r\n\r\n`);
    expect(await raw.closeCode()).toBe(1002);
  });

  it('cut off at any byte leaves nothing behind', async () => {
    const request = upgradeRequest(APP_PATH);
    for (let length = 1; length < request.length; length += 7) {
      const raw = await dial(request.slice(0, length));
      if (length % 2 === 0) raw.socket.end();
      else raw.socket.resetAndDestroy();
      await raw.ended();
    }
    expect(gateway.hub.connectionCount).toBe(0);
  });

  it('whose client is gone before the answer leaves nothing behind', async () => {
    for (let n = 0; n < 50; n++) {
      const raw = await dial(upgradeRequest(n % 2 === 0 ? APP_PATH : '/nowhere'));
      raw.socket.resetAndDestroy();
      await raw.ended();
    }
    await untilConnections(gateway, 0);
    expect(gateway.hub.connectionCount).toBe(0);
  });

  it('that never ends is cut off with 408, whether it stops or drips', async () => {
    const request = upgradeRequest(APP_PATH);
    const halves = ['', 'G', request.slice(0, 20), request.slice(0, -2)];
    const stopped = await Promise.all(halves.map((half) => dial(half)));
    const dripping = await dial(request.slice(0, -2));
    const drip = setInterval(() => dripping.write('X: y\r\n'), 200);
    await Promise.all([...stopped, dripping].map((raw) => raw.ended()));
    clearInterval(drip);
    for (const raw of [...stopped, dripping]) {
      expect(raw.statusLine).toBe('HTTP/1.1 408 Request Timeout');
    }
  });

  it('that is refused is cut off though its client never closes', async () => {
    const raws = await Promise.all(Array.from({ length: 300 }, () => dial(upgradeRequest('/nowhere'))));
    await expectServed(gateway);
    await Promise.all(raws.map((raw) => raw.cutOff()));
    for (const raw of raws) expect(raw.messages()).toMatchObject([{ data: { code: 4005 } }]);
  });

  it('a thousand times refused has its successors turned away with 503, and no reset by them ends the server', async () => {
    // For the server no time passes: it would cut off the first of them after two seconds, before the last one is there.
    const clock = new StillClock();
    const raws = await Promise.all(Array.from({ length: 1_000 }, () => dial(upgradeRequest('/nowhere'))));
    await Promise.all(raws.map((raw) => raw.closeCode()));
    const late = await dial(upgradeRequest('/nowhere'));
    await late.ended();
    expect(late.statusLine).toBe('HTTP/1.1 503 Service Unavailable');
    clock.goOn();
    for (let n = 0; n < 20; n++) {
      const rude = await dial(upgradeRequest('/nowhere'));
      rude.socket.resetAndDestroy();
      await rude.ended();
    }
  });
});
