import { afterEach, describe, it } from 'node:test';
import { MemoryBroker, MemoryBus, MemoryChannelDirectory, MemoryDirectoryStore } from 'pogo-gateway/hub';
import { brokerContract, channelDirectoryContract } from 'pogo-gateway/hub/testing';
import { AuditTrail } from '../src/ports/audit-trail.js';
import { AuditedDirectory } from '../src/ports/audited-directory.js';
import { MeasuredBroker } from '../src/ports/measured-broker.js';

const api = { describe, it, afterEach };
const close = () => Promise.resolve();

// Two nodes of one cluster: what is published on one arrives at both.
brokerContract(api, 'measured', () => {
  const bus = new MemoryBus();
  return { nodes: [new MeasuredBroker(new MemoryBroker(bus)), new MeasuredBroker(new MemoryBroker(bus))], close };
});

channelDirectoryContract(api, 'audited', () => {
  const bus = new MemoryBus();
  const store = new MemoryDirectoryStore();
  const node = () => new AuditedDirectory(new MemoryChannelDirectory(bus, store), new AuditTrail());
  return { nodes: [node(), node()] as const, broker: new MemoryBroker(bus), isReliable: true, close };
});
