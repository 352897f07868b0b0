import { afterEach, expect, it } from 'vitest';
import { RealClients } from '../support/pusher-clients.js';

let clients: RealClients;
afterEach(() => clients.stop());

it('pusher-js that is throttled comes again, 15 seconds later, and gets in', async () => {
  // One in ten seconds: the second comes too early, however long the machine takes until it dials.
  clients = await RealClients.start({ settings: { handshake_rate: '0.1', handshake_burst: '1' } });
  const codes: number[] = [];
  clients.gateway.events.on('handshakeRejected', ({ code }) => codes.push(code));
  await clients.gateway.connect();
  const page = clients.page();
  const states: string[] = [];
  page.connection.bind('state_change', ({ current }: { current: string }) => states.push(current));
  await new Promise((resolve) => page.connection.bind('connected', resolve));
  expect(codes).toEqual([429]);
  expect(states.at(-1)).toBe('connected');
  expect(states).not.toContain('failed');
}, 120_000);
