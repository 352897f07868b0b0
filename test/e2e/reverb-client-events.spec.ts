import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { reverbApp, reverbError, Wire } from '../support/reverb.js';
import { StillClock } from '../support/still-clock.js';

const MEMBERS = reverbApp('members');
const ALL = { ...reverbApp('all'), acceptClientEventsFrom: 'all' as const };
const NONE = { ...reverbApp('none'), acceptClientEventsFrom: 'none' as const };
const SWITCHED_OFF = { ...ALL, ...reverbApp('off'), clientEvents: false };
const SLOW = { ...reverbApp('slow'), clientMessageRate: { perSecond: 1, burst: 2 } };
type App = ReturnType<typeof reverbApp>;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ apps: [MEMBERS, ALL, NONE, SWITCHED_OFF, SLOW] });
});
afterAll(() => gateway.stop());

/** Two clients in a channel, the first of which has sent an event there. */
async function whisper(app: App, channel: string, ids?: readonly [number, string]): Promise<[from: Wire, to: Wire]> {
  const [from, to] = [await Wire.connect(gateway, app), await Wire.connect(gateway, app)];
  await from.client.subscribe(channel, ids && { user_id: ids[0] });
  await to.client.subscribe(channel, ids && { user_id: ids[1] });
  from.client.send(`{"event":"client-typing","channel":"${channel}","data":{"id":1.0}}`);
  return [from, to];
}

describe('Client events of a reverb app', () => {
  it.each([
    [MEMBERS, 'private-chat'],
    [ALL, 'private-chat'],
    [ALL, 'public-chat'],
    [ALL, 'cache-chat'],
  ])('are relayed with data behind the channel ($0.id, $1)', async (app, channel) => {
    const [from, to] = await whisper(app, channel);
    await to.client.receive('client-typing');
    expect(to.texts.at(-1)).toBe(`{"event":"client-typing","channel":"${channel}","data":{"id":1.0}}`);
    expect((await from.answers()).filter((text) => /error|client-/.test(text))).toEqual([]);
  });

  it.each([MEMBERS, ALL])('have the user id, of the type that was signed ($id)', async (app) => {
    const channel = 'presence-chat';
    const [from, to] = await whisper(app, channel, [1, '2']);
    await to.client.receive('client-typing');
    expect(to.texts.at(-1)).toBe(`{"event":"client-typing","channel":"${channel}","data":{"id":1.0},"user_id":1}`);
    to.client.send({ event: 'client-seen', channel });
    await from.client.receive('client-seen');
    expect(from.texts.at(-1)).toBe(`{"event":"client-seen","channel":"${channel}","data":null,"user_id":"2"}`);
  });

  const ofMembers = 'Client events are only supported on private and presence channels.';
  const disabled = 'The app does not have client messaging enabled.';
  it.each([
    [MEMBERS, 'public-chat', ofMembers],
    [MEMBERS, 'private-encrypted-chat', ofMembers],
    [ALL, 'private-encrypted-chat', ofMembers],
    [NONE, 'private-chat', disabled],
    [SWITCHED_OFF, 'private-chat', disabled],
  ])('are refused where the app does not take them ($0.id, $1)', async (app, channel, reason) => {
    const [from, to] = await whisper(app, channel);
    expect((await from.answers()).slice(-1)).toEqual([reverbError(4301, reason)]);
    await to.client.settle();
    expect(to.client.count('client-typing')).toBe(0);
  });

  it.each([MEMBERS, ALL])('are refused from outside of the channel ($id)', async (app) => {
    const [inside, outside] = [await Wire.connect(gateway, app), await Wire.connect(gateway, app)];
    await inside.client.subscribe('private-chat');
    outside.client.send({ event: 'client-typing', channel: 'private-chat', data: {} });
    expect(await outside.answers()).toEqual([
      reverbError(4009, 'The client is not a member of the specified channel.'),
    ]);
    await inside.client.settle();
    expect(inside.client.count('client-typing')).toBe(0);
  });

  it('over the rate limit are told so', async () => {
    const clock = new StillClock();
    const [from] = await whisper(SLOW, 'private-chat');
    for (let i = 0; i < 2; i++) from.client.send({ event: 'client-x', channel: 'private-chat', data: i });
    const told = await from.answers();
    clock.goOn();
    // Of the two tokens one went to the subscription and one to the first event.
    expect(told.slice(1)).toEqual(Array(2).fill(reverbError(4301, 'Rate limit exceeded')));
  });
});
