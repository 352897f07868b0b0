import { afterEach, describe, it } from 'vitest';
import type { Command } from '../broker/command-bus.js';
import { MemoryBroker, MemoryBus } from '../broker/memory-broker.js';
import { MemoryCommandBus } from '../broker/memory-command-bus.js';
import { MemoryCommandNonces } from '../commands/memory-command-nonces.js';
import type { Departure, JoinRequest } from '../directory/channel-directory.js';
import { MemoryChannelDirectory, MemoryDirectoryStore } from '../directory/memory-channel-directory.js';
import { MemoryConnectionDirectory } from '../directory/memory-connection-directory.js';
import { MemoryUserDirectory, MemoryUserStore } from '../directory/memory-user-directory.js';
import { emitTransitions, HubEvents } from '../hub-events.js';
import { MemoryRateLimitStore } from '../rate-limit/memory-rate-limit-store.js';
import { MemoryWebhookQueue } from '../webhooks/memory-webhook-queue.js';
import { webhookQueueContract } from './webhook-queue.contract.js';
import {
  brokerContract,
  channelDirectoryContract,
  Chaos,
  commandBusContract,
  commandNoncesContract,
  connectionDirectoryContract,
  rateLimitStoreContract,
  UnreliableBroker,
  UnreliableChannelDirectory,
  UnreliableCommandBus,
  UnreliableUserDirectory,
  userDirectoryContract,
} from './index.js';

const api = { describe, it, afterEach };
const close = () => Promise.resolve();
const SEEDS = [1, 2, 3];

brokerContract(api, 'memory', () => {
  const bus = new MemoryBus();
  return { nodes: [new MemoryBroker(bus), new MemoryBroker(bus)], close };
});

for (const seed of SEEDS) {
  brokerContract(api, `memory, delayed, reordered and failing (seed ${seed})`, () => {
    const bus = new MemoryBus();
    const unreliable = (n: number) => new UnreliableBroker(new MemoryBroker(bus), new Chaos({ seed: seed * 10 + n }));
    return { nodes: [unreliable(0), unreliable(1)], close };
  });
}

channelDirectoryContract(api, 'memory', () => {
  const bus = new MemoryBus();
  const store = new MemoryDirectoryStore();
  const nodes = [new MemoryChannelDirectory(bus, store), new MemoryChannelDirectory(bus, store)] as const;
  return { nodes, broker: new MemoryBroker(bus), isReliable: true, close };
});

for (const seed of SEEDS) {
  channelDirectoryContract(api, `memory, delayed, reordered and failing (seed ${seed})`, () => {
    const bus = new MemoryBus();
    const store = new MemoryDirectoryStore();
    const node = (n: number) =>
      new UnreliableChannelDirectory(new MemoryChannelDirectory(bus, store), new Chaos({ seed: seed * 10 + n }));
    const broker = new UnreliableBroker(new MemoryBroker(bus), new Chaos({ seed }));
    return { nodes: [node(0), node(1)] as const, broker, isReliable: false, close };
  });
}

commandBusContract(api, 'memory', () => {
  const nodes = new Set<(command: Command) => void>();
  return { nodes: [new MemoryCommandBus(nodes), new MemoryCommandBus(nodes)], close };
});

commandBusContract(api, 'memory, delayed and failing', () => {
  const nodes = new Set<(command: Command) => void>();
  const unreliable = (seed: number) => new UnreliableCommandBus(new MemoryCommandBus(nodes), new Chaos({ seed }));
  return { nodes: [unreliable(1), unreliable(2)], close };
});

connectionDirectoryContract(api, 'memory', () => {
  const nodes = new Set<ReadonlyMap<string, number>>();
  return { nodes: [new MemoryConnectionDirectory(nodes), new MemoryConnectionDirectory(nodes)], close };
});

userDirectoryContract(api, 'memory', () => {
  const [bus, store] = [new MemoryBus(), new MemoryUserStore()];
  return { nodes: [new MemoryUserDirectory(bus, store), new MemoryUserDirectory(bus, store)], isReliable: true, close };
});

userDirectoryContract(api, 'memory, delayed, reordered and failing', () => {
  const [bus, store] = [new MemoryBus(), new MemoryUserStore()];
  const node = (seed: number) => new UnreliableUserDirectory(new MemoryUserDirectory(bus, store), new Chaos({ seed }));
  return { nodes: [node(1), node(2)], isReliable: false, close };
});

rateLimitStoreContract(api, 'memory', () => {
  let now = 0;
  return { store: new MemoryRateLimitStore(() => now), advance: (ms) => void (now += ms), close };
});

commandNoncesContract(api, 'memory', () => {
  let now = 0;
  const nonces = new MemoryCommandNonces(() => now);
  return { nodes: [nonces, nonces], advance: (ms) => void (now += ms), close };
});

webhookQueueContract(api, 'memory', () => {
  const events = new HubEvents();
  const queue = new MemoryWebhookQueue(events);
  const directory = new MemoryChannelDirectory(new MemoryBus());
  const node = {
    queue,
    join: async (request: JoinRequest) => {
      const answer = await directory.join(request);
      if (answer.outcome === 'joined') emitTransitions(events, answer.transitions);
    },
    leave: async (departure: Departure) => emitTransitions(events, await directory.leave(departure)),
  };
  return { nodes: [node], close: () => queue.close(1_000) };
});
