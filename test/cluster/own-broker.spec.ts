import { GatewayModule } from '@pogo/gateway';
import { Broker, MemoryBroker, MemoryBus, RedisNode, type BrokerReceiver, type PortOption } from '@pogo/hub';
import { eventually } from '@pogo/hub/testing';
import { afterEach, expect, it } from 'vitest';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { RedisServer } from '../support/redis.js';

/** An application's broker around that of Redis. */
class CountingBroker extends Broker {
  published = 0;
  delivered = 0;

  constructor(private readonly inner: Broker) {
    super();
  }

  get isAvailable(): boolean {
    return this.inner.isAvailable;
  }

  attach(receiver: BrokerReceiver): void {
    this.inner.attach({
      message: (topic, envelope) => {
        this.delivered++;
        receiver.message(topic, envelope);
      },
      interrupted: () => receiver.interrupted(),
      resumed: () => receiver.resumed(),
    });
  }

  subscribe(topic: string): Promise<void> {
    return this.inner.subscribe(topic);
  }

  unsubscribe(topic: string): Promise<void> {
    return this.inner.unsubscribe(topic);
  }

  publish(topic: string, envelope: Buffer): Promise<void> {
    this.published++;
    return this.inner.publish(topic, envelope);
  }
}

let redis: RedisServer | undefined;
const gateways: EmbeddedGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
  await redis?.stop();
});

async function start(broker?: PortOption<Broker>): Promise<EmbeddedGateway> {
  const config = configOf({ redis_url: redis?.url ?? '' });
  const gateway = await EmbeddedGateway.start(
    GatewayModule.forRoot({ config, ...(broker === undefined ? {} : { broker }) }),
  );
  gateways.push(gateway);
  await eventually(() => gateway.hub.isReady);
  return gateway;
}

it(
  'A broker of the application’s around that of Redis carries events, and the node still hears commands',
  async () => {
    redis = await RedisServer.start();
    const own = await start({ inject: [RedisNode], useFactory: (node: RedisNode) => new CountingBroker(node.broker) });
    const other = await start();
    const counting = own.app.get<Broker, CountingBroker>(Broker);
    const [here, there] = [await own.connect(), await other.connect()];
    for (const client of [here, there]) await client.subscribe('news');
    await other.http().publish('news', 'from there', '1');
    await here.receive('from there');
    expect(counting.delivered).toBe(1);
    await own.http().publish('news', 'from here', '2');
    await there.receive('from here');
    expect(counting.published).toBe(1);
    await here.signin({ id: 'ada' });
    await other.http().post('/users/ada/terminate_connections', {});
    expect(await here.closing()).toEqual({ code: 4009, reason: 'You got disconnected by the app.' });
  },
  START_TIMEOUT_MS,
);

it(
  'With another broker in its place the node still hears commands',
  async () => {
    redis = await RedisServer.start();
    const own = await start({ inject: [MemoryBus], useFactory: (bus: MemoryBus) => new MemoryBroker(bus) });
    const other = await start();
    await eventually(() => own.app.get(RedisNode).broker.isAvailable);
    const client = await own.connect();
    await client.signin({ id: 'ada' });
    await other.http().post('/users/ada/terminate_connections', {});
    expect((await client.closing()).code).toBe(4009);
  },
  START_TIMEOUT_MS,
);
