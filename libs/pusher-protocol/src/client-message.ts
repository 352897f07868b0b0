import { EventName, isClientEventName } from './event-name.js';
import { isJsonObject, parseJsonObject, rawMember, type JsonObject } from './json-text.js';

export interface SubscribeMessage {
  readonly event: 'pusher:subscribe';
  readonly channel: string;
  /** Absent when the client sent "" or null, as pusher-js does for public channels. */
  readonly auth?: string;
  readonly channelData?: string;
}

export interface UnsubscribeMessage {
  readonly event: 'pusher:unsubscribe';
  readonly channel: string;
}

export interface SigninMessage {
  readonly event: 'pusher:signin';
  readonly auth: string;
  readonly userData: string;
}

export interface PingMessage {
  readonly event: 'pusher:ping';
}

export interface PongMessage {
  readonly event: 'pusher:pong';
}

export interface ClientEventMessage {
  readonly event: `client-${string}`;
  readonly channel: string;
  /** JSON text of `data` exactly as sent; absent when the client sent none. */
  readonly dataJson?: string;
}

/** What is none of the protocol's messages. It keeps its place in the order, so it is a message too. */
export interface InvalidMessage {
  readonly event: 'invalid';
}

/** Everything a client may say. */
export type ClientMessage =
  | SubscribeMessage
  | UnsubscribeMessage
  | SigninMessage
  | PingMessage
  | PongMessage
  | ClientEventMessage
  | InvalidMessage;

const INVALID_MESSAGE: InvalidMessage = { event: 'invalid' };

/**
 * Decodes one text message of a client. Malformed JSON, an unknown event, a field that is missing or has the wrong
 * type make an {@link InvalidMessage}. Total: no input makes it throw.
 */
export function decodeMessage(text: string): ClientMessage {
  const message = parseJsonObject(text);
  return (message === undefined ? undefined : decode(message, text)) ?? INVALID_MESSAGE;
}

function decode(message: JsonObject, text: string): ClientMessage | undefined {
  const event = message['event'];
  if (typeof event !== 'string') return undefined;
  switch (event) {
    case EventName.ping:
      return { event };
    case EventName.pong:
      return { event };
    case EventName.subscribe:
      return decodeSubscribe(payloadOf(message));
    case EventName.unsubscribe:
      return decodeUnsubscribe(payloadOf(message));
    case EventName.signin:
      return decodeSignin(payloadOf(message));
    default:
      return isClientEventName(event) ? decodeClientEvent(event as `client-${string}`, message, text) : undefined;
  }
}

/** `data` of a `pusher:*` message: an object, or (older client libraries) its JSON text. */
function payloadOf(message: JsonObject): JsonObject | undefined {
  const data = message['data'];
  if (typeof data === 'string') return parseJsonObject(data);
  return isJsonObject(data) ? data : undefined;
}

function decodeSubscribe(data: JsonObject | undefined): SubscribeMessage | undefined {
  const channel = data?.['channel'];
  const auth = optionalText(data?.['auth']);
  const channelData = optionalText(data?.['channel_data']);
  if (typeof channel !== 'string' || auth === WRONG_TYPE || channelData === WRONG_TYPE) return undefined;
  return {
    event: EventName.subscribe,
    channel,
    ...(auth === undefined ? {} : { auth }),
    ...(channelData === undefined ? {} : { channelData }),
  };
}

function decodeUnsubscribe(data: JsonObject | undefined): UnsubscribeMessage | undefined {
  const channel = data?.['channel'];
  return typeof channel === 'string' ? { event: EventName.unsubscribe, channel } : undefined;
}

function decodeSignin(data: JsonObject | undefined): SigninMessage | undefined {
  const auth = data?.['auth'];
  const userData = data?.['user_data'];
  if (typeof auth !== 'string' || typeof userData !== 'string') return undefined;
  return { event: EventName.signin, auth, userData };
}

function decodeClientEvent(
  event: `client-${string}`,
  message: JsonObject,
  text: string,
): ClientEventMessage | undefined {
  const channel = message['channel'];
  if (typeof channel !== 'string') return undefined;
  const dataJson = rawMember(text, 'data');
  return dataJson === undefined ? { event, channel } : { event, channel, dataJson };
}

const WRONG_TYPE = Symbol('wrong type');

/** A text, or undefined for absent, null and ""; anything else is of the wrong type. */
function optionalText(value: unknown): string | undefined | typeof WRONG_TYPE {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : WRONG_TYPE;
}
