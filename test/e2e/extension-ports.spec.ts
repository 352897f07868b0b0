import { Inject, Injectable, Module } from '@nestjs/common';
import { GatewayModule, type GatewayModuleOptions } from '@pogo/gateway';
import {
  AppDefaults,
  AppProvider,
  AuthProvider,
  Broker,
  ChannelDirectory,
  MemoryBroker,
  MemoryBus,
  MemoryChannelDirectory,
  SignatureAuthProvider,
  type App,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type JoinRequest,
  type JoinAnswer,
  type UserAuthDecision,
} from '@pogo/hub';
import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { APP } from '../support/gateway.js';

let gateway: EmbeddedGateway;
const start = async (options: GatewayModuleOptions) =>
  (gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf(), ...options })));
afterEach(() => gateway.stop());

/** What an application has in a module of its own. */
@Injectable()
class Tickets {
  readonly holders = new Map([['ticket-1', 'ada']]);
}

@Module({ providers: [Tickets], exports: [Tickets] })
class TicketsModule {}

@Injectable()
class TicketAuthProvider extends AuthProvider {
  constructor(private readonly tickets: Tickets) {
    super();
  }

  authorizeChannel({ auth, channel }: ChannelAuthRequest): ChannelAuthDecision {
    const userId = this.tickets.holders.get(auth ?? '');
    if (userId === undefined) return { decision: 'deny', reason: 'No such ticket' };
    return channel.kind === 'presence' ? { decision: 'allow', member: { userId } } : { decision: 'allow' };
  }

  authenticateUser(): UserAuthDecision {
    return { decision: 'not_mine' };
  }
}

/** The user of a ticket, and that who has none stays outside. */
async function expectTickets(client: Client): Promise<void> {
  client.send({ event: 'pusher:subscribe', data: { channel: 'presence-room', auth: 'ticket-1' } });
  expect(String((await client.receive('pusher_internal:subscription_succeeded')).data)).toContain('"ids":["ada"]');
  client.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth: 'forged' } });
  expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ error: 'No such ticket' });
}

const TICKETS = Symbol('tickets');
const PROVIDER = Symbol('auth provider');

describe('An auth provider of the application', () => {
  it.each<[string, () => Omit<GatewayModuleOptions, 'config'>]>([
    ['a class with dependencies from imports', () => ({ imports: [TicketsModule], auth: TicketAuthProvider })],
    ['a class with dependencies from providers', () => ({ providers: [Tickets], auth: TicketAuthProvider })],
    ['useClass', () => ({ providers: [Tickets], auth: { useClass: TicketAuthProvider } })],
    ['useValue', () => ({ auth: { useValue: new TicketAuthProvider(new Tickets()) } })],
    [
      'useExisting',
      () => ({
        providers: [Tickets, { provide: PROVIDER, useClass: TicketAuthProvider }],
        auth: { useExisting: PROVIDER },
      }),
    ],
    [
      'useFactory with what it injects, later',
      () => ({
        imports: [TicketsModule],
        auth: {
          inject: [Tickets],
          useFactory: (tickets: Tickets) => Promise.resolve(new TicketAuthProvider(tickets)),
        },
      }),
    ],
    ['useFactory without anything', () => ({ auth: { useFactory: () => new TicketAuthProvider(new Tickets()) } })],
    ['a list of one', () => ({ imports: [TicketsModule], auth: [TicketAuthProvider] })],
    [
      'a replacement of the token',
      () => ({ imports: [TicketsModule], providers: [{ provide: AuthProvider, useClass: TicketAuthProvider }] }),
    ],
  ])('is asked: %s', async (_how, options) => {
    await start(options());
    await expectTickets(await gateway.connect());
  });

  it('is made once, and can be injected by its name', async () => {
    let made = 0;
    @Injectable()
    class Counted extends SignatureAuthProvider {
      constructor() {
        super();
        made++;
      }
    }
    await start({ auth: [Counted, SignatureAuthProvider] });
    expect(gateway.app.get(Counted)).toBeInstanceOf(Counted);
    expect(made).toBe(1);
  });

  it('that is missing a dependency keeps the application from starting, and says which', async () => {
    await expect(start({ auth: TicketAuthProvider })).rejects.toThrow(/Tickets/);
    await start({});
  });

  it('is not nobody', async () => {
    await expect(start({ auth: [] })).rejects.toThrow('needs at least one');
    await start({});
  });

  it('works with a configuration that other providers make', async () => {
    gateway = await EmbeddedGateway.start(
      GatewayModule.forRootAsync({
        imports: [TicketsModule],
        providers: [{ provide: TICKETS, useExisting: Tickets }],
        inject: [Tickets],
        useFactory: (tickets: Tickets) => Promise.resolve(configOf({ max_connections: String(tickets.holders.size) })),
        auth: TicketAuthProvider,
      }),
    );
    const client = await gateway.connect();
    await expectTickets(client);
    // The configuration was made of the tickets: there is one.
    expect(await gateway.dial().closing()).toMatchObject({ code: 4100 });
  });
});

const OTHER = { id: 'other', key: 'other-key', secret: 'other-secret' };

@Injectable()
class TableOfApps extends AppProvider {
  constructor(
    @Inject(AppDefaults) private readonly defaults: AppDefaults,
    private readonly tickets: Tickets,
  ) {
    super();
  }

  findById(id: string): Promise<App | undefined> {
    return Promise.resolve(id === OTHER.id ? this.row() : undefined);
  }

  findByKey(key: string): Promise<App | undefined> {
    return Promise.resolve(key === OTHER.key ? this.row() : undefined);
  }

  private row(): App {
    return this.defaults.complete({ ...OTHER, maxChannelsPerConnection: this.tickets.holders.size });
  }
}

describe('An app provider of the application', () => {
  it('takes the place of the configured apps, and completes its own from the settings', async () => {
    await start({
      config: configOf({ max_event_bytes: '100' }),
      imports: [TicketsModule],
      apps: TableOfApps,
    });
    const client = await gateway.connect(OTHER);
    await client.subscribe('room');
    client.send(client.subscription('another'));
    expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ type: 'LimitReached' });
    expect((await gateway.http(OTHER).publish('room', 'event', 'x'.repeat(101))).status).toBe(413);
    expect((await gateway.http(OTHER).publish('room', 'event', 'x')).status).toBe(200);
    expect((await client.receive('event')).data).toBe('x');
    expect(await gateway.dial(APP).closing()).toMatchObject({ code: 4001 });
    expect((await gateway.http(APP).publish('room', 'event', 'x')).status).toBe(404);
  });
});

@Injectable()
class CountingBroker extends MemoryBroker {
  readonly published: string[] = [];

  constructor(@Inject(MemoryBus) bus: MemoryBus) {
    super(bus);
  }

  override publish(...[topic, envelope]: Parameters<MemoryBroker['publish']>): Promise<void> {
    this.published.push(topic);
    return super.publish(topic, envelope);
  }
}

@Injectable()
class CountingDirectory extends MemoryChannelDirectory {
  readonly joined: string[] = [];

  constructor(@Inject(MemoryBus) bus: MemoryBus) {
    super(bus);
  }

  override join(request: JoinRequest): Promise<JoinAnswer> {
    this.joined.push(request.channel.name);
    return super.join(request);
  }
}

describe('A broker and a directory of the application', () => {
  it('are what events and members go through', async () => {
    await start({ broker: CountingBroker, directory: CountingDirectory });
    const [ada, bob] = [await gateway.connect(), await gateway.connect()];
    await ada.subscribe('presence-room', { user_id: 'ada' });
    await bob.subscribe('presence-room', { user_id: 'bob' });
    await ada.receive('pusher_internal:member_added');
    expect(await gateway.hub.publish(APP.id, 'presence-room', 'event', 'x')).toBe(0);
    await bob.receive('event');
    const [broker, directory] = [
      gateway.app.get<CountingBroker>(Broker),
      gateway.app.get<CountingDirectory>(ChannelDirectory),
    ];
    expect(broker).toBeInstanceOf(CountingBroker);
    expect(broker.published.filter((topic) => topic.includes('presence-room'))).toHaveLength(1);
    expect(directory).toBeInstanceOf(CountingDirectory);
    expect(directory.joined).toEqual(['presence-room', 'presence-room']);
  });

  it('are one with what the application holds of them', async () => {
    const bus = new MemoryBus();
    const broker = new CountingBroker(bus);
    await start({
      providers: [{ provide: MemoryBus, useValue: bus }],
      broker: { useValue: broker },
      directory: { inject: [MemoryBus], useFactory: (shared: MemoryBus) => new CountingDirectory(shared) },
    });
    const client = await gateway.connect();
    await client.subscribe('room');
    await gateway.http().publish('room', 'event', 'x');
    expect((await client.receive('event')).data).toBe('x');
    expect(broker.published).toHaveLength(1);
  });
});
