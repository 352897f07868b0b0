import { Broker, type BrokerReceiver } from '../broker/broker.js';
import type { Chaos } from './chaos.js';

/** A broker whose calls and deliveries are late, out of order between topics, and fail. Within a topic order holds. */
export class UnreliableBroker extends Broker {
  private readonly outgoing = new Map<string, Promise<void>>();
  private readonly incoming = new Map<string, Promise<void>>();

  constructor(
    private readonly inner: Broker,
    private readonly chaos: Chaos,
  ) {
    super();
  }

  get isAvailable(): boolean {
    return !this.chaos.isDown;
  }

  attach(receiver: BrokerReceiver): void {
    this.inner.attach({
      message: (topic, envelope) => {
        void inTurn(this.incoming, topic, async () => {
          await this.chaos.delay();
          receiver.message(topic, envelope);
        });
      },
      interrupted: () => receiver.interrupted(),
      resumed: () => receiver.resumed(),
    });
  }

  subscribe(topic: string): Promise<void> {
    return this.chaos.disturb(() => this.inner.subscribe(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.chaos.disturb(() => this.inner.unsubscribe(topic));
    // What had arrived before is still on its way to the listener.
    await this.incoming.get(topic);
  }

  publish(topic: string, envelope: Buffer): Promise<void> {
    return inTurn(this.outgoing, topic, () => this.chaos.disturb(() => this.inner.publish(topic, envelope)));
  }
}

/** Runs `task` after all earlier tasks of the same topic. */
function inTurn(queues: Map<string, Promise<void>>, topic: string, task: () => Promise<void>): Promise<void> {
  const before = queues.get(topic) ?? Promise.resolve();
  const done = before.then(task);
  queues.set(
    topic,
    done.catch(() => undefined),
  );
  return done;
}
