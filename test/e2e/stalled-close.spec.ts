import { expect, it, onTestFinished } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { closeFrame, RawSocket } from '../support/raw-socket.js';
import { untilNoConnections } from '../support/tls/sockets.js';

const EVENT = 'x'.repeat(9_000);

it.each([
  ['because it does not read', '100KiB', () => undefined],
  ['at its own wish, and does not read', '100MiB', (raw: RawSocket) => raw.write(closeFrame(1000))],
])('a client that is closed %s is reset, so that the kernel keeps nothing for it', async (_, bound, act) => {
  const settings = { outbound_queue_bytes: bound, outbound_queue_size: '10000' };
  const gateway = await TestGateway.start({ settings });
  onTestFinished(() => gateway.stop());
  const raw = await RawSocket.open(gateway);
  raw.send({ event: 'pusher:subscribe', data: { channel: 'room' } });
  await raw.message('pusher_internal:subscription_succeeded');
  raw.socket.pause();
  const { hub } = gateway;
  while (hub.connectionCount > 0 && hub.counters().outboxBytes < 1_000_000) {
    await hub.publish(APP.id, 'room', 'large', EVENT);
    await new Promise(setImmediate);
  }
  act(raw);
  await untilNoConnections(gateway);
  let received = 0;
  raw.socket.on('data', ({ length }) => (received += length));
  raw.socket.resume();
  await raw.ended();
  // What the client's kernel had taken. The rest would come as well, after a close of the ordinary kind.
  expect(received).toBeLessThan(hub.counters().bytesWritten / 2);
});
