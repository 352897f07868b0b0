import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, type ClientMessage } from './client-message.js';

const DEEP = 100_000;
const EVENTS = ['pusher:subscribe', 'pusher:unsubscribe', 'pusher:signin', 'pusher:ping', 'pusher:pong', 'client-x'];

/** What a client can send as text: any UTF-16 units, broken surrogates included. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const event = fc.oneof(fc.constantFrom(...EVENTS), fc.constantFrom('client-', 'pusher:x', '__proto__'), fc.jsonValue());
const field = fc.oneof(fc.string(), fc.jsonValue(), fc.constantFrom('', null, undefined));
const key = fc.constantFrom('channel', 'auth', 'channel_data', 'user_data', '__proto__', 'constructor', 'x');
const payload = fc.dictionary(key, field);
/** Messages that are almost right: every field there or not, of the right type or not. */
const almost = fc.record(
  {
    event,
    channel: field,
    data: fc.oneof(
      payload,
      payload.map((value) => JSON.stringify(value)),
      field,
    ),
  },
  { requiredKeys: [] },
);
const name = fc.string({ minLength: 1 });

/** The fields that each message has, and those that it may have; all of them are texts. */
const FIELDS: Readonly<Record<string, readonly [required: readonly string[], optional: readonly string[]]>> = {
  'pusher:subscribe': [
    ['event', 'channel'],
    ['auth', 'channelData'],
  ],
  'pusher:unsubscribe': [['event', 'channel'], []],
  'pusher:signin': [['event', 'auth', 'userData'], []],
  'pusher:ping': [['event'], []],
  'pusher:pong': [['event'], []],
  invalid: [['event'], []],
  client: [['event', 'channel'], ['dataJson']],
};

/** Fails unless `message` is one of a known event, with every field of the type it promises. */
function expectWellFormed(message: ClientMessage): void {
  const fields = FIELDS[/^client-./s.test(message.event) ? 'client' : message.event];
  if (fields === undefined) throw new Error(`${message.event} is no event of a client`);
  const [required, optional] = fields;
  const present = Object.keys(message);
  expect(present.filter((field) => !optional.includes(field)).sort()).toEqual([...required].sort());
  for (const value of Object.values(message)) expect(value).toBeTypeOf('string');
}

describe('decodeMessage, whatever it is given', () => {
  it('makes a message of any string and never throws', () => {
    fc.assert(
      fc.property(anyText, (text) => expectWellFormed(decodeMessage(text))),
      { numRuns: 1_000 },
    );
  });

  it('makes a message of any JSON text and never throws', () => {
    fc.assert(
      fc.property(fc.json(), (text) => expectWellFormed(decodeMessage(text))),
      { numRuns: 1_000 },
    );
  });

  it('makes a well-formed message of everything that is almost one', () => {
    fc.assert(
      fc.property(almost, (value) => expectWellFormed(decodeMessage(JSON.stringify(value)))),
      { numRuns: 3_000 },
    );
  });

  it('takes no message for another one when its text is cut or a character is changed', () => {
    const text = JSON.stringify({ event: 'client-x', channel: 'private-a', data: { deep: ['"}', { a: 1 }] } });
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, insertion) => {
        expect(decodeMessage(text.slice(0, at))).toEqual({ event: 'invalid' });
        expectWellFormed(decodeMessage(text.slice(0, at) + insertion + text.slice(at + 1)));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['arrays', '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['objects', '{"data":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
  ])('survives a hundred thousand nested %s wherever they stand', (_kind, deep) => {
    expect(decodeMessage(deep)).toEqual({ event: 'invalid' });
    expect(decodeMessage(`{"event":${deep}}`)).toEqual({ event: 'invalid' });
    expect(decodeMessage(`{"event":"pusher:subscribe","data":{"channel":${deep}}}`)).toEqual({ event: 'invalid' });
    expect(decodeMessage(`{"event":"pusher:subscribe","data":{"channel":"a","x":${deep}}}`)).toEqual({
      event: 'pusher:subscribe',
      channel: 'a',
    });
    expect(decodeMessage(`{"event":"client-x","channel":"a","data":${deep}}`)).toEqual({
      event: 'client-x',
      channel: 'a',
      dataJson: deep,
    });
  });

  it.each([
    '{"__proto__":{"event":"pusher:ping"}}',
    '{"__proto__":"pusher:ping"}',
    '{"event":"pusher:subscribe","data":{"__proto__":{"channel":"a"}}}',
    '{"event":"pusher:subscribe","__proto__":{"data":{"channel":"a"}}}',
    '{"event":"constructor"}',
    '{"event":"client-x","data":{"channel":"a"}}',
  ])('takes no field from a prototype: %s is invalid', (text) => {
    expect(decodeMessage(text)).toEqual({ event: 'invalid' });
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['channel']).toBeUndefined();
  });
});

describe('decodeMessage, given a valid message', () => {
  it('finds every field of a subscription, in an object or in its JSON text', () => {
    fc.assert(
      fc.property(name, fc.option(name), fc.option(name), fc.boolean(), (channel, auth, channelData, asText) => {
        const data = { channel, auth: auth ?? '', channel_data: channelData };
        const text = JSON.stringify({ event: 'pusher:subscribe', data: asText ? JSON.stringify(data) : data });
        expect(decodeMessage(text)).toEqual({
          event: 'pusher:subscribe',
          channel,
          ...(auth === null ? {} : { auth }),
          ...(channelData === null ? {} : { channelData }),
        });
      }),
    );
  });

  it('finds the channel of an unsubscription and both texts of a sign-in', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const unsubscribe = JSON.stringify({ event: 'pusher:unsubscribe', data: { channel: one } });
        expect(decodeMessage(unsubscribe)).toEqual({ event: 'pusher:unsubscribe', channel: one });
        const signin = JSON.stringify({ event: 'pusher:signin', data: { auth: one, user_data: other } });
        expect(decodeMessage(signin)).toEqual({ event: 'pusher:signin', auth: one, userData: other });
      }),
    );
  });

  it('keeps the data of a client event as the client wrote it', () => {
    fc.assert(
      fc.property(name, fc.string(), fc.json(), fc.constantFrom('', ' ', '\n'), (suffix, channel, dataJson, space) => {
        const text = `{"data":${space}${dataJson}${space},"channel":${JSON.stringify(channel)},"event":${JSON.stringify(`client-${suffix}`)}}`;
        expect(decodeMessage(text)).toEqual({ event: `client-${suffix}`, channel, dataJson });
      }),
    );
  });

  it('lets the last one of repeated fields count, as JSON.parse does', () => {
    expect(decodeMessage('{"event":"pusher:ping","channel":"a","event":"client-x","data":1,"\\u0064ata":[2]}')).toEqual(
      {
        event: 'client-x',
        channel: 'a',
        dataJson: '[2]',
      },
    );
  });

  it('ignores fields that it does not know, whatever they hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 13 }), fc.jsonValue()), (more) => {
        const text = JSON.stringify({ ...more, event: 'pusher:subscribe', data: { ...more, channel: 'a' } });
        expect(decodeMessage(text)).toEqual({ event: 'pusher:subscribe', channel: 'a' });
      }),
    );
  });
});
