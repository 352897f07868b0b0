import { AuthService, type AuthFailure } from '@pogo/hub';
import type { Client, Message } from './client.js';
import type { TestGateway } from './gateway.js';

/** Subscribes without `auth`, as a client does that leaves the authorization to the server. */
export function subscribeUnsigned(client: Client, channel: string, more: object = {}): void {
  client.send({ event: 'pusher:subscribe', data: { channel, ...more } });
}

/** What a client is told when it may not subscribe: `pusher:error`, then `pusher:subscription_error`. */
export async function refusal(client: Client, channel: string): Promise<unknown> {
  const error = await client.receive('pusher:error');
  const refused = await client.receive((m) => m.event === 'pusher:subscription_error' && m.channel === channel);
  return { ...(error.data as object), ...(refused.data as object) };
}

/** Subscribes without `auth` and resolves to what the client is told when it may not. */
export function refused(client: Client, channel: string, more: object = {}): Promise<unknown> {
  subscribeUnsigned(client, channel, more);
  return refusal(client, channel);
}

/** Subscribes without `auth` and resolves to the acknowledgement; fails when it is refused. */
export async function allowed(client: Client, channel: string): Promise<Message> {
  subscribeUnsigned(client, channel);
  const answer = await client.receive(
    (m) =>
      m.channel === channel &&
      (m.event === 'pusher_internal:subscription_succeeded' || m.event === 'pusher:subscription_error'),
  );
  if (answer.event === 'pusher:subscription_error') throw new Error(`refused: ${JSON.stringify(answer.data)}`);
  return answer;
}

/** The authorization failures that a gateway has counted, without the reasons that did not occur. */
export function countedFailures(gateway: TestGateway): Partial<Record<AuthFailure, number>> {
  const counts = gateway.app.get(AuthService).failureCounts();
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
