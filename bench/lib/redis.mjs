import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { Child } from './children.mjs';
import { generatorCore, pinned } from './cores.mjs';
import { cpuSeconds } from './other-load.mjs';

const OLDEST = 7;
const HOST = '127.0.0.1';
const PATIENCE_SECONDS = 10;

/** What a connected gateway sends by itself, beside `publish`; everything else is called by its scripts. */
const SENT = new Set(['evalsha', 'subscribe', 'unsubscribe', 'ping']);
/** What is sent to read the counters. */
const OURS = new Set(['info', 'quit']);

/** The version of the redis-server on the path; undefined where there is none. */
export function redisVersion() {
  try {
    const printed = execFileSync('redis-server', ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return /\bv=(\S+)/.exec(printed)?.[1];
  } catch {
    return undefined;
  }
}

/** Why scenarios with Redis cannot run; undefined where they can. */
export function redisProblem() {
  const version = redisVersion();
  const wanted = `Scenarios with Redis need redis-server ${OLDEST} or newer on the path (Debian: apt-get install redis-server)`;
  if (version === undefined) return `${wanted}.`;
  return Number.parseInt(version, 10) >= OLDEST ? undefined : `${wanted}; this one is ${version}.`;
}

/** Starts an empty Redis, which keeps nothing, on the generator's core. */
export async function startRedis() {
  const port = await freePort();
  const settings = ['--bind', HOST, '--port', String(port), '--save', '', '--appendonly', 'no'];
  // However this process ends, Redis ends with it.
  const mortal = ['--pdeathsig', 'KILL', 'redis-server', ...settings];
  const child = new Child(pinned(generatorCore, 'setpriv', mortal), { cwd: tmpdir(), stdio: ['ignore', 'pipe'] });
  try {
    await child.during('redis-server', printed(child.process.stdout, 'Ready to accept connections'), PATIENCE_SECONDS);
  } catch (error) {
    await child.kill();
    throw error;
  }
  let asked = 0;
  /** What it has done and used since its start, see {@link countersIn}. */
  const counters = async () => {
    asked++;
    const { reads, ...others } = countersIn(await ask(port, 'INFO stats commandstats'));
    return { ...others, reads: reads - asked, cpuSeconds: cpuSeconds(child.pid) };
  };
  return { url: `redis://${HOST}:${port}`, pid: child.pid, counters, stop: () => child.kill() };
}

/**
 * The figures in an answer to INFO: `sent`, commands that clients have sent; `inner`, those that scripts called; `published`, which
 * may be either; `reads`, how often something was read from a socket, which is once for all that arrived together.
 */
export function countersIn(info) {
  const figures = { sent: 0, inner: 0, published: 0, reads: Number(/^total_reads_processed:(\d+)/m.exec(info)[1]) };
  for (const [, name, calls] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (OURS.has(name)) continue;
    figures[name === 'publish' ? 'published' : SENT.has(name) ? 'sent' : 'inner'] += Number(calls);
  }
  return figures;
}

/** On a connection of its own, in one write: it costs Redis one read. */
async function ask(port, command) {
  const socket = connect(port, HOST);
  socket.write(`${command}\r\nQUIT\r\n`);
  return text(socket);
}

/** Resolves when `stream` has said `words`; what it says later is thrown away. */
async function printed(stream, words) {
  let all = '';
  while (!all.includes(words)) {
    const [chunk] = await once(stream, 'data');
    all += chunk;
  }
  stream.resume();
}

/** Below the ports that the system gives away by itself, so that nobody else takes it meanwhile. */
async function freePort() {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const probe = createServer().listen(port, HOST);
    try {
      await once(probe, 'listening');
    } catch {
      continue;
    }
    await once(probe.close(), 'close');
    return port;
  }
}
