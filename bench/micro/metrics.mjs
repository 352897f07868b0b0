// `node bench/micro/metrics.mjs`: what counting costs for a publish, in CPU time of this process, without metrics, with them, and with
// those of the hot path. The three take turns, so that a busy machine disturbs all of them alike.
import 'reflect-metadata';
import { AppModule, createGateway, loadConfig } from '../../dist/apps/gateway/src/index.js';
import { HubService } from '../../dist/libs/hub/src/index.js';
import { parseChannelName } from '../../dist/libs/pusher-protocol/src/index.js';
import { BenchSocket } from './hub.mjs';

const ROUNDS = 300;
const PUBLISHES = 200;
const ROOM = parseChannelName('room', 200);
const DATA = 'x'.repeat(200);

class NullSocket extends BenchSocket {
  write() {
    return true;
  }
}

const variants = {
  off: await start({ POGO_WS_METRICS_PORT: 'off' }),
  on: await start({ POGO_WS_METRICS_PORT: '0' }),
  'hot path': await start({ POGO_WS_METRICS_PORT: '0', POGO_WS_HOT_PATH_METRICS: 'on' }),
};
const costs = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let round = -50; round < ROUNDS; round++) {
  for (const [name, { hub }] of Object.entries(variants)) {
    const cost = await cpuOf(hub);
    if (round >= 0) costs[name].push(cost);
  }
}
for (const [name, list] of Object.entries(costs)) {
  const ns = (list.toSorted((a, b) => a - b)[ROUNDS / 2] * 1_000) / PUBLISHES;
  process.stdout.write(`${name.padEnd(10)} ${ns.toFixed(0).padStart(6)} ns of CPU for a publish to one socket\n`);
}
for (const { app } of Object.values(variants)) await app.close();

async function start(settings) {
  const all = { POGO_WS_APP_ID: '1', POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret', ...settings };
  const config = loadConfig(all);
  const app = await createGateway(AppModule.forRoot(config), { logger: false });
  // Metrics listen when everything is there.
  await app.init();
  const hub = app.get(HubService);
  const socket = new NullSocket();
  const connection = hub.connect(config.apps[0], socket, () => undefined);
  // A drain waits until sockets say that they are closed.
  socket.close = () => setImmediate(() => hub.disconnect(connection));
  await hub.subscribe(connection, ROOM);
  return { app, hub };
}

/** µs for a round, delivery included. */
async function cpuOf(hub) {
  const before = process.cpuUsage();
  for (let i = 0; i < PUBLISHES; i++) {
    await hub.publish('1', ROOM.name, 'event', DATA);
    // Each in a turn of its own, as over HTTP: what is counted for a write is counted for each of them.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
