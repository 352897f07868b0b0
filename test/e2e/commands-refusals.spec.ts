import { CommandServer } from '@pogo/gateway';
import { PogoCommandError, PublishStatus } from '@pogo/publisher';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import {
  COMMAND_SECRET,
  publishFields,
  sendOverTcp,
  signed,
  TestPublisher,
  type SigningOverrides,
} from '../support/publisher.js';

let gateway: TestGateway;
let port: number;
let publisher: TestPublisher;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { command_secret: COMMAND_SECRET, command_port: '0' } });
  port = gateway.app.get(CommandServer).boundPort;
  publisher = await TestPublisher.start({ secret: COMMAND_SECRET, tcp: { port } });
});
afterAll(async () => {
  await publisher.stop();
  await gateway.stop();
});

const send = (pattern: string, command: unknown) => sendOverTcp(port, pattern, command);
const sendPublish = (fields: unknown, overrides?: SigningOverrides) =>
  send('pogo.publish', signed('pogo.publish', fields, overrides));

describe('a command that is refused', () => {
  it('rejects with the sentence when the secret is another one', async () => {
    const other = await TestPublisher.start({ secret: 'another secret', tcp: { port } });
    onTestFinished(() => other.stop());
    const { pogo } = other;
    const failure = await pogo.publish('1', 'orders', 'paid', '1').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PogoCommandError);
    expect(failure).toMatchObject({ message: 'the signature is not that of command_secret', status: undefined });
    await expect(pogo.terminateUser('1', 'u')).rejects.toThrow('the signature is not that of command_secret');
  });

  it('rejects for a user of an app that is not there', async () => {
    const expected = { message: 'application not found', status: PublishStatus.hub_missing };
    await expect(publisher.pogo.terminateUser('2', 'u')).rejects.toMatchObject(expected);
  });

  it.each([-40, 40])('has a clock that is %i s off', async (clockSkew) => {
    const error = "the time-stamp is more than 30 seconds from the gateway's clock: compare the clocks";
    expect(await sendPublish(publishFields(), { clockSkew })).toEqual({ error });
  });

  it('was sent before: it is carried out once, over whatever connection it comes again', async () => {
    const client = await gateway.connect();
    await client.subscribe('replayed');
    const command = signed('pogo.publish', publishFields({ channel: 'replayed' }));
    expect(await send('pogo.publish', command)).toEqual({ status: 0, name: 'ok' });
    for (let n = 0; n < 3; n++)
      expect(await send('pogo.publish', command)).toEqual({ error: 'the nonce has been used before' });
    await client.receive('paid');
    await client.settle();
    expect(client.count('paid')).toBe(1);
  });

  it('was signed for another pattern, or changed on the way', async () => {
    const error = 'the signature is not that of command_secret';
    const command = signed('pogo.publish', publishFields());
    expect(await send('pogo.publish_many', command)).toEqual({ error });
    expect(await send('pogo.publish', { ...command, body: command.body.replace('7', '8') })).toEqual({ error });
    // Neither has used the nonce up.
    expect(await send('pogo.publish', command)).toEqual({ status: 0, name: 'ok' });
  });

  it.each([[7], [[]], [{}], [{ body: {} }], [publishFields()]])('has not the shape of one: %j', async (payload) => {
    expect(await send('pogo.publish', payload)).toEqual({ error: 'a command is {body, timestamp, nonce, signature}' });
  });

  it.each([
    ['not JSON', 'The body is not valid JSON'],
    ['[]', 'The body must be a JSON object'],
    [publishFields({ app_id: 1 }), 'Field app_id: Invalid input: expected string, received number'],
    [publishFields({ data: { id: 7 } }), 'Field data: Invalid input: expected string, received object'],
    [publishFields({ event: undefined }), 'Field event: Invalid input: expected string, received undefined'],
    [publishFields({ event: 'pusher:x' }), 'Field event: pusher: and pusher_internal: events are reserved'],
    [publishFields({ socket_id: 'x' }), 'Field socket_id: must be digits.digits'],
  ])('has fields that cannot be meant: %j', async (fields, error) => {
    expect(await sendPublish(fields)).toEqual({ error });
  });

  it.each([
    ['pogo.publish', { channel: undefined }],
    ['pogo.publish', { channel: ['orders'] }],
    ['pogo.publish_many', { channels: undefined }],
    ['pogo.publish_many', { channels: 'orders' }],
    ['pogo.publish_many', { channels: ['orders', 7] }],
    ['pogo.publish_many', { channels: [{ kind: 'public', name: 'orders' }] }],
  ] as const)('has channels that are none: %s %j', async (pattern, fields) => {
    const answer = await send(pattern, signed(pattern, publishFields(fields)));
    expect(answer).toEqual({ status: 7, name: 'invalid_channels_json' });
  });

  it('has more channels than an event may have', async () => {
    const channels = Array.from({ length: 101 }, (_, n) => `channel-${n}`);
    const answer = await send('pogo.publish_many', signed('pogo.publish_many', publishFields({ channels })));
    expect(answer).toEqual({ error: 'An event may be published to at most 100 channels at once' });
  });
});
