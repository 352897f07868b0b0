// What a write to a real socket allocates on the heap. The peers live in another process, so that only writing counts.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { BenchSocket, broadcast, startHub } from './hub.mjs';

const SOCKETS = 2_000;
const EVENTS_MORE = 16;
const ROUNDS = 21;

class NetSocket extends BenchSocket {
  constructor(stream) {
    super();
    this.stream = stream;
  }

  write(bytes) {
    return this.stream.write(bytes);
  }
}

/** Bytes of heap per write, and per further frame in a write. Needs --expose-gc and a young generation that holds a round. */
export async function measureAllocations() {
  const peers = fork(new URL('./peers.mjs', import.meta.url));
  const [{ port }] = await once(peers, 'message');
  const streams = await Promise.all(Array.from({ length: SOCKETS }, () => connect(port)));
  const hub = await startHub(streams.map((stream) => new NetSocket(stream)));
  await allocated(hub, 1);
  const one = await allocated(hub, 1);
  const many = await allocated(hub, 1 + EVENTS_MORE);
  peers.disconnect();
  for (const stream of streams) stream.destroy();
  // What a publish allocates for itself is spread over the sockets, as in life.
  return { bytesPerWrite: one / SOCKETS, bytesPerFrameMore: Math.max(0, (many - one) / EVENTS_MORE / SOCKETS) };
}

async function connect(port) {
  const stream = net.connect(port, '127.0.0.1').setNoDelay();
  await once(stream, 'connect');
  return stream;
}

/** Median heap growth of a broadcast of `events` events, over rounds without a collection. */
async function allocated(hub, events) {
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  const growth = [];
  for (let i = 0; i < ROUNDS; i++) {
    globalThis.gc();
    // Observed collections are reported later; this one as well.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const seen = collections;
    const before = process.memoryUsage().heapUsed;
    await broadcast(hub, events);
    const after = process.memoryUsage().heapUsed;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (collections === seen) growth.push(after - before);
  }
  observer.disconnect();
  if (growth.length < ROUNDS / 2)
    throw new Error('the collector was at work all the time: give it a larger young generation');
  return growth.toSorted((a, b) => a - b)[Math.floor(growth.length / 2)];
}
