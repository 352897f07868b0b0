import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './children.mjs';
import { pinned, serverCore } from './cores.mjs';
import { BENCH } from './paths.mjs';
import { startRedis } from './redis.mjs';

/** The app that both servers serve. */
export const APP = { id: '1', key: 'bench-key', secret: 'bench-secret' };

const HOST = '127.0.0.1';
const PATIENCE_SECONDS = 20;
const LOOK_AGAIN_MS = 50;

/**
 * Starts a fresh server on its core.
 * @param kind `pogo`, `soketi` or `bare`
 * @param settings the gateway's settings by their short name; the others have none that a scenario changes
 * @param certificate paths of a certificate and its key, for TLS
 * @param redis `{ nodes: n }`: so many gateways on that core, over a Redis on the generator's
 */
export function startServer(kind, { settings = {}, certificate, redis } = {}) {
  if (redis !== undefined) return startCluster(redis.nodes, settings, certificate);
  if (kind === 'pogo') return startPogo(settings, certificate);
  return kind === 'soketi' ? startSoketi() : startBare();
}

async function startPogo(settings, certificate) {
  const all = {
    host: HOST,
    port: 0,
    app_id: APP.id,
    app_key: APP.key,
    app_secret: APP.secret,
    max_connections: 20_000,
    client_msg_rate_limit: -1,
    handshake_rate: -1,
    metrics_port: 'off',
    log_level: 'error',
    log_format: 'json',
    ...(certificate === undefined ? {} : { tls_cert: certificate.cert, tls_key: certificate.key }),
    ...settings,
  };
  const { ask, ...server } = await startOurs('pogo', environment('POGO_WS_', all));
  /** What the hub has counted since its start. */
  const counters = async () => (await ask('counters')).counters;
  return { ...server, counters };
}

/** As its first node, with all `nodes` and the `redis` between them. */
async function startCluster(count, settings, certificate) {
  const redis = await startRedis();
  const nodes = [];
  const stop = async () => {
    for (const each of [...nodes, redis]) await each.stop();
  };
  try {
    while (nodes.length < count) nodes.push(await startPogo({ ...settings, redis_url: redis.url }, certificate));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...nodes[0], nodes, redis, stop };
}

async function startBare() {
  return startOurs('bare', environment('BARE_', { host: HOST }));
}

/** A server in servers/, which says its port when it is ready. */
async function startOurs(name, env) {
  const script = join(BENCH, 'servers', `${name}.mjs`);
  const child = new Child(pinned(serverCore, process.execPath, [script]), { env, ipc: true });
  const ask = async (question) => {
    const message = once(child.process, 'message');
    if (question !== undefined) child.process.send(question);
    const [answer] = await child.during(name, message, PATIENCE_SECONDS);
    return answer;
  };
  const { port } = await orKill(child, ask());
  return { host: HOST, port, pid: child.pid, ask, stop: () => child.kill() };
}

async function startSoketi() {
  const [port, metricsPort] = await freePorts(2);
  const settings = {
    host: HOST,
    port,
    default_app_id: APP.id,
    default_app_key: APP.key,
    default_app_secret: APP.secret,
    default_app_enable_client_messages: true,
    default_app_max_conns: -1,
    default_app_max_backend_events_per_sec: -1,
    default_app_max_client_events_per_sec: -1,
    default_app_max_read_req_per_sec: -1,
    event_max_size_in_kb: 256,
    debug: 0,
    metrics_enabled: false,
    // It listens for /usage whether or not it has metrics, and looks for its peers whether or not it has any.
    metrics_host: HOST,
    metrics_server_port: metricsPort,
    cluster_host: HOST,
    cluster_unicast_addresses: HOST,
  };
  const script = join(BENCH, 'node_modules', '@soketi', 'soketi', 'bin', 'server.js');
  const child = new Child(pinned(serverCore, process.execPath, [script, 'start']), {
    env: environment('SOKETI_', settings),
    cwd: BENCH,
  });
  const ready = answers(`http://${HOST}:${port}/ready`, child);
  await orKill(child, child.during('soketi', ready, PATIENCE_SECONDS));
  return { host: HOST, port, pid: child.pid, stop: () => child.kill() };
}

async function orKill(child, start) {
  try {
    return await start;
  } catch (error) {
    await child.kill();
    throw error;
  }
}

/** This environment without what would configure a server, and with `settings`. */
function environment(prefix, settings) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:POGO_WS_|REVERB_|SOKETI_|NODE_OPTIONS$)/.test(name),
  );
  const added = Object.entries(settings).map(([key, value]) => [prefix + key.toUpperCase(), String(value)]);
  return Object.fromEntries([...kept, ['NODE_ENV', 'production'], ...added]);
}

async function answers(url, child) {
  while (!child.hasEnded) {
    const isThere = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (isThere) return;
    await sleep(LOOK_AGAIN_MS);
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
