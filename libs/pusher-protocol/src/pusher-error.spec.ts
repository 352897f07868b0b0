import { describe, expect, it } from 'vitest';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  PusherError,
  PusherErrors,
  SubscriptionError,
  subscriptionRejected,
  type PusherErrorData,
  type SubscriptionErrorType,
} from './pusher-error.js';

describe('A client is told', () => {
  it.each<[name: keyof typeof PusherErrors, code: number, message: string]>([
    ['applicationDoesNotExist', 4001, 'Application does not exist'],
    ['applicationDisabled', 4003, 'Application disabled'],
    ['binaryNotSupported', 4003, 'Binary frames not supported'],
    ['applicationOverQuota', 4004, 'Application is over connection quota'],
    ['pathNotFound', 4005, 'Path not found'],
    ['originNotAllowed', 4009, 'Origin not allowed'],
    ['signinFailed', 4009, 'Signin authentication failed'],
    ['terminatedByApp', 4009, 'You got disconnected by the app.'],
    ['overCapacity', 4100, 'Over capacity'],
    ['restarting', 4100, 'Server is restarting'],
    ['invalidMessage', 4200, 'Invalid message format'],
    ['pongNotReceived', 4201, 'Pong reply not received in time'],
    ['clientEventsDisabled', 4301, 'The app does not have client messaging enabled.'],
    ['clientEventNotMember', 4301, 'The client is not a member of the specified channel.'],
    ['clientEventRateLimit', 4301, 'Client event rejected due to rate limit'],
  ])('%s as %i %j', (name, code, message) => {
    expect(PusherErrors[name]).toEqual({ code, message });
  });

  it.each<[name: keyof typeof PusherErrors, code: number]>([
    ['invalidProtocolVersion', 4006],
    ['unsupportedProtocolVersion', 4007],
    ['slowConsumer', 4100],
    ['internal', 4100],
    ['draining', 4200],
    ['clientEventChannelKind', 4301],
  ])('%s with code %i', (name, code) => {
    expect(PusherErrors[name].code).toBe(code);
  });

  it('why its subscription was rejected, with the channel', () => {
    expect(subscriptionRejected('private-a')).toEqual({ code: 4009, message: 'Subscription to private-a rejected' });
  });

  it('which limit its client event breaks', () => {
    expect(clientEventNameTooLong(200)).toMatchObject({
      code: 4301,
      message: expect.stringContaining('200 bytes') as string,
    });
    expect(clientEventDataTooLong(9)).toMatchObject({
      code: 4301,
      message: expect.stringContaining('9 bytes') as string,
    });
  });
});

describe('What pusher-js does with a code', () => {
  const codes = Object.values<PusherErrorData>(PusherErrors).map(({ code }) => code);

  it('is known for every code: give up, back off, reconnect at once, or stay', () => {
    for (const code of codes) expect([400, 410, 420, 430]).toContain(Math.floor(code / 10));
  });

  it('is to back off from a server that restarts, and to come back at once when it was connected', () => {
    expect(PusherErrors.restarting.code).toBe(4100);
    expect(PusherErrors.draining.code).toBe(4200);
  });
});

describe('An error that is thrown', () => {
  it('carries what the client is told', () => {
    const error = new PusherError(PusherErrors.signinFailed);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('PusherError');
    expect(error.message).toBe('Signin authentication failed');
    expect(error.data).toEqual({ code: 4009, message: 'Signin authentication failed' });
  });

  it.each<[SubscriptionErrorType, number]>([
    ['AuthError', 401],
    ['InvalidChannel', 400],
    ['LimitReached', 403],
    ['AuthTimeout', 503],
  ])('for a subscription of type %s has status %i', (type, status) => {
    const error = new SubscriptionError('private-a', type, 'because');
    expect(error).toMatchObject({ name: 'SubscriptionError', channel: 'private-a', type, status, message: 'because' });
  });
});
