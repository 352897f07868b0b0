// A hub with as many subscribers as asked for, on sockets that the caller makes. Public exports of the build only.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import {
  completeApp,
  ConfigAppProvider,
  HubModule,
  HubOptions,
  HubService,
  Socket,
} from '../../dist/libs/hub/src/index.js';
import { parseChannelName } from '../../dist/libs/pusher-protocol/src/index.js';

const ROOM = parseChannelName('room', 200);

const nothing = () => undefined;

/** What every socket of these benchmarks has in common; subclasses write. */
export class BenchSocket extends Socket {
  isOpen = true;
  bytesRead = 0;
  takesDeflated = false;
  cork = nothing;
  uncork = nothing;
  ping = nothing;
  pause = nothing;
  resume = nothing;
  close = nothing;
}

/** @param sockets one {@link BenchSocket} for each subscriber of the one channel. */
export async function startHub(sockets) {
  const app = completeApp({ id: 'app', key: 'key', secret: 'secret' });
  // As Nest puts it together, so that a new part of the hub is not missing here.
  const module = HubModule.forRoot({
    apps: { useValue: new ConfigAppProvider([app]) },
    providers: [{ provide: HubOptions, useValue: new HubOptions({ maxConnections: sockets.length }) }],
  });
  const hub = (await NestFactory.createApplicationContext(module, { logger: ['error'] })).get(HubService);
  for (const socket of sockets)
    await hub.subscribe(
      hub.connect(app, socket, () => undefined),
      ROOM,
    );
  return hub;
}

/** Publishes `events` events of 200 bytes in one turn and resolves when all subscribers have them. */
export async function broadcast(hub, events) {
  const { batches } = hub.counters();
  for (let i = 0; i < events; i++) await hub.publish('app', ROOM.name, 'event', DATA);
  while (hub.counters().batches === batches) await new Promise((resolve) => setImmediate(resolve));
}

const DATA = 'x'.repeat(200);
