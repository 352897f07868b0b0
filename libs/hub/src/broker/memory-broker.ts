import { Broker, type BrokerReceiver } from './broker.js';

/** What several memory brokers of one process share when they stand for several nodes (tests, examples). */
export class MemoryBus {
  private readonly topics = new Map<string, Set<MemoryBroker>>();

  add(topic: string, broker: MemoryBroker): void {
    const brokers = this.topics.get(topic);
    if (brokers === undefined) this.topics.set(topic, new Set([broker]));
    else brokers.add(broker);
  }

  remove(topic: string, broker: MemoryBroker): void {
    const brokers = this.topics.get(topic);
    if (brokers?.delete(broker) && brokers.size === 0) this.topics.delete(topic);
  }

  send(topic: string, envelope: Buffer): void {
    for (const broker of this.topics.get(topic) ?? []) broker.receive(topic, envelope);
  }
}

/** The broker of a node that is complete by itself: `publish` delivers in the same turn. */
export class MemoryBroker extends Broker {
  readonly isAvailable = true;
  private receiver: BrokerReceiver | undefined;

  constructor(private readonly bus: MemoryBus = new MemoryBus()) {
    super();
  }

  attach(receiver: BrokerReceiver): void {
    this.receiver = receiver;
  }

  subscribe(topic: string): Promise<void> {
    this.bus.add(topic, this);
    return DONE;
  }

  unsubscribe(topic: string): Promise<void> {
    this.bus.remove(topic, this);
    return DONE;
  }

  publish(topic: string, envelope: Buffer): Promise<void> {
    this.bus.send(topic, envelope);
    return DONE;
  }

  receive(topic: string, envelope: Buffer): void {
    this.receiver?.message(topic, envelope);
  }
}

const DONE = Promise.resolve();
