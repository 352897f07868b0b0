// What a recipient and a message cost beside the system call, in CPU time of this process.
import { decodeMessage } from '../../dist/libs/pusher-protocol/src/index.js';
import { BenchSocket, broadcast, startHub } from './hub.mjs';

const RECIPIENTS = 10_000;
const ROUNDS = 200;
const EVENTS_MORE = 16;
const MESSAGES = [
  '{"event":"pusher:subscribe","data":{"auth":"278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4","channel":"private-orders.42"}}',
  '{"event":"client-typing","channel":"private-orders.42","data":{"user":"Ada","at":1700000000000}}',
  '{"event":"pusher:ping","data":{}}',
];

class NullSocket extends BenchSocket {
  write() {
    return true;
  }
}

/** ns of CPU per recipient of one event, and per recipient of each further event of a batch. */
export async function measureRecipients() {
  const hub = await startHub(Array.from({ length: RECIPIENTS }, () => new NullSocket()));
  await rounds(hub, 1, 20);
  const one = await rounds(hub, 1, ROUNDS);
  const many = await rounds(hub, 1 + EVENTS_MORE, ROUNDS);
  return { nsPerRecipient: one / RECIPIENTS, nsPerFrameMore: (many - one) / EVENTS_MORE / RECIPIENTS };
}

/** ns of CPU per decoded message, over a mix of what clients send. */
export function measureDecoding() {
  const decodeAll = (times) => {
    for (let i = 0; i < times; i++) for (const message of MESSAGES) decodeMessage(message);
  };
  decodeAll(20_000);
  return { nsPerDecodedMessage: cpuOf(() => decodeAll(100_000)) / 100_000 / MESSAGES.length };
}

/** Median ns of CPU of a broadcast: one that a scavenge or a neighbour disturbs does not count. */
async function rounds(hub, events, count) {
  const costs = [];
  for (let i = 0; i < count; i++) {
    const before = process.cpuUsage();
    await broadcast(hub, events);
    costs.push(nsOf(process.cpuUsage(before)));
  }
  return costs.toSorted((a, b) => a - b)[count / 2];
}

function cpuOf(work) {
  const before = process.cpuUsage();
  work();
  return nsOf(process.cpuUsage(before));
}

function nsOf({ user, system }) {
  return (user + system) * 1_000;
}
