import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { httpOf, reverbApp, reverbError, Wire } from '../support/reverb.js';

const REVERB = reverbApp('reverb');
const UNAUTHORIZED = reverbError(4009, 'Connection is unauthorized');

let gateway: TestGateway;
beforeAll(async () => {
  // What an app of the other dialect says it accepts must not loosen anything.
  gateway = await TestGateway.start({ apps: [REVERB, { ...APP, acceptClientEventsFrom: 'all' }] });
});
afterAll(() => gateway.stop());

const connect = () => Wire.connect(gateway, REVERB);

describe('A client of a reverb app', () => {
  it('is greeted with an activity timeout of 30 s', async () => {
    const { client, texts } = await connect();
    expect(texts).toEqual([
      `{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"${client.socketId}\\",\\"activity_timeout\\":30}"}`,
    ]);
  });

  it.each(['room', 'private-room'])('is acknowledged in %s with the channel behind the data', async (channel) => {
    const wire = await connect();
    await wire.client.subscribe(channel);
    expect(await wire.answers()).toEqual([
      `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"${channel}"}`,
    ]);
  });

  it('hears events with the channel behind the data', async () => {
    const wire = await connect();
    await wire.client.subscribe('news');
    await httpOf(gateway, REVERB).publish('news', 'App\\Events\\TestEvent', '{"foo":"bar"}');
    await wire.client.receive('App\\Events\\TestEvent');
    expect((await wire.answers()).slice(1)).toEqual([
      String.raw`{"event":"App\\Events\\TestEvent","data":"{\"foo\":\"bar\"}","channel":"news"}`,
    ]);
  });

  it('is told that a cache is empty, and the next one what is in it', async () => {
    const first = await connect();
    await first.client.subscribe('cache-room');
    await httpOf(gateway, REVERB).publish('cache-room', 'told', 'x');
    await first.client.receive('told');
    const second = await connect();
    await second.client.subscribe('cache-room');
    const told = '{"event":"told","data":"x","channel":"cache-room"}';
    expect((await first.answers()).slice(1)).toEqual(['{"event":"pusher:cache_miss","channel":"cache-room"}', told]);
    expect((await second.answers()).slice(1)).toEqual([told]);
  });

  it('is told of a malformed message in a JSON string', async () => {
    const wire = await connect();
    wire.client.send('{');
    expect(await wire.answers()).toEqual([reverbError(4200, 'Invalid message format')]);
  });

  it('is told that it was disconnected, and closed with 4009', async () => {
    const { client, texts } = await connect();
    await client.subscribe('presence-doomed', { user_id: 7 });
    await httpOf(gateway, REVERB).post('/users/7/terminate_connections', {});
    expect(await client.closing()).toEqual({ code: 4009, reason: 'You got disconnected by the app.' });
    expect(texts.at(-1)).toBe(reverbError(4009, 'You got disconnected by the app.'));
  });
});

describe('A refused subscription', () => {
  it.each([
    ['a wrong signature', { channel: 'private-room', auth: 'invalid-signature' }],
    ['no signature', { channel: 'presence-room' }],
    ['a name that is none', { channel: 'a room' }],
    ['somebody else’s channel', { channel: '#server-to-user-1' }],
  ])('for %s is answered with one error and nothing else, and the connection stays', async (_what, data) => {
    const wire = await connect();
    wire.client.send({ event: 'pusher:subscribe', data });
    expect(await wire.answers()).toEqual([UNAUTHORIZED]);
    await wire.client.subscribe('room');
  });

  it('and a refused sign-in have the same answer', async () => {
    const wire = await connect();
    wire.client.send({ event: 'pusher:signin', data: { auth: 'invalid', user_data: '{"id":"1"}' } });
    expect(await wire.answers()).toEqual([UNAUTHORIZED]);
  });
});

describe('Members of a reverb app', () => {
  const BIG = '9007199254740993';

  it('keep the type of their ids in the list, when they come and when they go', async () => {
    const [one, two] = [await connect(), await connect()];
    await one.client.subscribe('presence-room', { user_id: 1, user_info: { name: 'Ann' } });
    await two.client.subscribe('presence-room', { user_id: '2' });
    two.client.unsubscribe('presence-room');
    await one.client.receive('pusher_internal:member_removed');
    expect(await one.answers()).toEqual([
      String.raw`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[1],\"hash\":{\"1\":{\"name\":\"Ann\"}}}}","channel":"presence-room"}`,
      String.raw`{"event":"pusher_internal:member_added","data":"{\"user_id\":\"2\",\"user_info\":{}}","channel":"presence-room"}`,
      String.raw`{"event":"pusher_internal:member_removed","data":"{\"user_id\":\"2\"}","channel":"presence-room"}`,
    ]);
    await one.client.disconnect();
  });

  it('keep all digits of a number, also when it leaves', async () => {
    const [one, two] = [await connect(), await connect()];
    await one.client.subscribe('presence-big', { user_id: 1 });
    const channelData = `{"user_id":${BIG},"user_info":{"n":1.0}}`;
    const subscription = two.client.subscription('presence-big', { user_id: 0 }) as { data: object };
    const auth = signChannel(REVERB, two.client.socketId, 'presence-big', channelData);
    two.client.send({ ...subscription, data: { ...subscription.data, auth, channel_data: channelData } });
    await one.client.receive('pusher_internal:member_added');
    await two.client.disconnect();
    await one.client.receive('pusher_internal:member_removed');
    expect((await one.answers()).slice(1)).toEqual([
      `{"event":"pusher_internal:member_added","data":"{\\"user_id\\":${BIG},\\"user_info\\":{\\"n\\":1.0}}","channel":"presence-big"}`,
      `{"event":"pusher_internal:member_removed","data":"{\\"user_id\\":${BIG}}","channel":"presence-big"}`,
    ]);
  });

  it('are one user, with the id of the first tab, whatever type the second has', async () => {
    const [watcher, first, second] = [await connect(), await connect(), await connect()];
    await watcher.client.subscribe('presence-tabs', { user_id: 'w' });
    await first.client.subscribe('presence-tabs', { user_id: 7 });
    await second.client.subscribe('presence-tabs', { user_id: '7' });
    expect((await second.answers()).at(-1)).toContain(String.raw`\"count\":2,\"ids\":[\"w\",7]`);
    await first.client.disconnect();
    await second.client.disconnect();
    await watcher.client.receive('pusher_internal:member_removed');
    const [, ...heard] = await watcher.answers();
    expect(heard).toEqual([
      String.raw`{"event":"pusher_internal:member_added","data":"{\"user_id\":7,\"user_info\":{}}","channel":"presence-tabs"}`,
      String.raw`{"event":"pusher_internal:member_removed","data":"{\"user_id\":7}","channel":"presence-tabs"}`,
    ]);
  });
});

describe('An app that speaks pusher, beside those', () => {
  it('speaks pusher', async () => {
    const wire = await Wire.connect(gateway, APP);
    expect(wire.texts[0]).toContain(String.raw`\"activity_timeout\":120}`);
    wire.client.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth: 'invalid' } });
    await wire.client.subscribe('presence-room', { user_id: 1 });
    expect(await wire.answers()).toEqual([
      '{"event":"pusher:error","data":{"code":4009,"message":"Subscription to private-room rejected"}}',
      '{"event":"pusher:subscription_error","channel":"private-room","data":{"type":"AuthError","error":"Invalid signature","status":401}}',
      String.raw`{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"count\":1,\"ids\":[\"1\"],\"hash\":{\"1\":{}}}}"}`,
    ]);
  });

  it('takes no client events on public channels, whatever it accepts', async () => {
    const wire = await Wire.connect(gateway, APP);
    await wire.client.subscribe('room');
    wire.client.send({ event: 'client-x', channel: 'room', data: 1 });
    expect((await wire.answers()).at(-1)).toBe(
      '{"event":"pusher:error","data":{"code":4301,"message":"Client events are only supported on private and presence channels."}}',
    );
  });

  it('hears nothing of a channel of the same name, and is heard by nobody there', async () => {
    const [ofPusher, ofReverb] = [await Wire.connect(gateway, APP), await connect()];
    await ofPusher.client.subscribe('news');
    await ofReverb.client.subscribe('news');
    await httpOf(gateway, APP).publish('news', 'posted', 'to pusher');
    await httpOf(gateway, REVERB).publish('news', 'posted', 'to reverb');
    await Promise.all([ofPusher.client.receive('posted'), ofReverb.client.receive('posted')]);
    expect((await ofPusher.answers()).slice(1)).toEqual(['{"event":"posted","channel":"news","data":"to pusher"}']);
    expect((await ofReverb.answers()).slice(1)).toEqual(['{"event":"posted","data":"to reverb","channel":"news"}']);
  });
});
