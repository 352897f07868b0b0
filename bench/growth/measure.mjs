import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beyondIdle } from '../lib/idle.mjs';
import { cpuSeconds } from '../lib/other-load.mjs';

/** What Redis and the gateways have done so far. */
export async function sampleOf({ redis, nodes }) {
  const { cpuSeconds: redisCpu, sent, inner, published } = await redis.counters();
  return { redisCpu, sent, inner, published, gatewayCpu: nodes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0) };
}

/** What each of `count` costs beyond what would have been spent anyway: µs, and commands. */
export async function each(cluster, count, idleSeconds, work) {
  const { growth } = await beyondIdle(() => sampleOf(cluster), idleSeconds, work);
  return {
    redisMicros: (growth.redisCpu * 1e6) / count,
    gatewayMicros: (growth.gatewayCpu * 1e6) / count,
    commands: growth.sent / count,
    commandsInScripts: growth.inner / count,
    published: growth.published / count,
  };
}

/** What is spent in a second when nothing happens: ms, and commands. */
export async function atRest(cluster, seconds) {
  const [before, from] = [await sampleOf(cluster), performance.now()];
  await sleep(seconds * 1_000);
  const [after, to] = [await sampleOf(cluster), performance.now()];
  const perSecond = (name) => (after[name] - before[name]) / ((to - from) / 1_000);
  return {
    redisMillis: perSecond('redisCpu') * 1e3,
    gatewayMillis: perSecond('gatewayCpu') * 1e3,
    commands: perSecond('sent'),
    commandsInScripts: perSecond('inner'),
  };
}

/** @returns bytes */
export async function pssOf(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)[1]) * 1_024;
}

/** One inline command, on a connection of its own. */
export async function askRedis({ url }, command) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`${command}\r\nQUIT\r\n`);
  return text(socket);
}

export async function redisBytes(redis) {
  return Number(/^used_memory:(\d+)/m.exec(await askRedis(redis, 'INFO memory'))[1]);
}

/** The line through points by least squares: `y = a + b·x`, and how much of the variance it explains. */
export function lineThrough(points) {
  const mean = (value) => points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = (a, b) => mean((point) => (point[a] - (a === 'x' ? x : y)) * (point[b] - (b === 'x' ? x : y)));
  const b = spread('x', 'y') / spread('x', 'x');
  const explained = spread('y', 'y') === 0 ? 1 : (b * spread('x', 'y')) / spread('y', 'y');
  return { a: y - b * x, b, explained };
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
