import { Broker, type BrokerReceiver } from 'pogo-gateway/hub';

/** Counts what goes through another broker, for the application's own metrics. A broker over NATS has the same shape. */
export class MeasuredBroker extends Broker {
  published = 0;
  publishedBytes = 0;
  failed = 0;

  constructor(private readonly inner: Broker) {
    super();
  }

  get isAvailable(): boolean {
    return this.inner.isAvailable;
  }

  attach(receiver: BrokerReceiver): void {
    this.inner.attach(receiver);
  }

  subscribe(topic: string): Promise<void> {
    return this.inner.subscribe(topic);
  }

  unsubscribe(topic: string): Promise<void> {
    return this.inner.unsubscribe(topic);
  }

  async publish(topic: string, envelope: Buffer): Promise<void> {
    try {
      await this.inner.publish(topic, envelope);
      this.published++;
      this.publishedBytes += envelope.length;
    } catch (error) {
      this.failed++;
      // As it is: an UnavailableError says whether the message may have gone out.
      throw error;
    }
  }
}
