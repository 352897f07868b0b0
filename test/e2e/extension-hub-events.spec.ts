import { Controller, Inject, Injectable, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { GatewayModule, OnHubEvent } from '@pogo/gateway';
import { SignatureAuthProvider, type HubEventMap, type HubEventName } from '@pogo/hub';
import { afterEach, describe, expect, it } from 'vitest';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { APP } from '../support/gateway.js';

type MemberAdded = HubEventMap['memberAdded'];

/** Who has heard what, in order. */
const heard: string[] = [];
let gateway: EmbeddedGateway;

const start = async (rest: ModuleMetadata, options = {}) =>
  (gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf(), ...options }), rest));
afterEach(async () => {
  heard.length = 0;
  await gateway.stop();
});

/** Two members and an event, of which the handlers hear. */
async function happen(): Promise<void> {
  const [ada, bob] = [await gateway.connect(), await gateway.connect()];
  await ada.subscribe('presence-room', { user_id: 'ada' });
  await bob.subscribe('presence-room', { user_id: 'bob' });
  await gateway.http().publish('presence-room', 'event', 'x');
  await Promise.all([ada.receive('event'), bob.receive('event')]);
}

@Injectable()
class Attendance {
  private readonly name = 'attendance';

  @OnHubEvent('memberAdded')
  added({ appId, channel, member }: MemberAdded): void {
    heard.push(`${this.name} ${appId} ${channel} ${member.userId}`);
  }
}

const ATTENDED = [`attendance ${APP.id} presence-room ada`, `attendance ${APP.id} presence-room bob`];

/** Imports nothing: what it is about comes from wherever the gateway is. */
@Module({ providers: [Attendance] })
class AttendanceModule {}

describe('A method with @OnHubEvent', () => {
  it.each<[string, ModuleMetadata]>([
    ['of a provider', { providers: [Attendance] }],
    ['of a provider in a module that imports nothing', { imports: [AttendanceModule] }],
    ['of a provider under another token', { providers: [{ provide: 'attendance', useClass: Attendance }] }],
    ['of a value', { providers: [{ provide: 'attendance', useValue: new Attendance() }] }],
    ['of what a factory made', { providers: [{ provide: 'attendance', useFactory: () => new Attendance() }] }],
    [
      'of what a factory made later',
      { providers: [{ provide: 'attendance', useFactory: () => Promise.resolve(new Attendance()) }] },
    ],
    [
      'of a provider that has several names',
      {
        providers: [
          Attendance,
          { provide: 'one', useExisting: Attendance },
          { provide: 'two', inject: [Attendance], useFactory: (same: Attendance) => same },
        ],
      },
    ],
  ])('is called once for each event: %s', async (_what, rest) => {
    await start(rest);
    await happen();
    expect(heard).toEqual(ATTENDED);
  });

  it('is called once for each event: of a controller', async () => {
    @Controller('rooms')
    class RoomsController {
      @OnHubEvent('channelOccupied')
      occupied({ channel }: HubEventMap['channelOccupied']): void {
        heard.push(`occupied ${channel}`);
      }
    }
    await start({ controllers: [RoomsController] });
    await happen();
    expect(heard).toEqual(['occupied presence-room']);
  });

  it('is called once for each event: of a port of the gateway’s', async () => {
    @Injectable()
    class ListeningAuthProvider extends SignatureAuthProvider {
      @OnHubEvent('memberAdded')
      added({ member }: MemberAdded): void {
        heard.push(member.userId);
      }
    }
    await start({}, { auth: [ListeningAuthProvider, SignatureAuthProvider] });
    await happen();
    expect(heard).toEqual(['ada', 'bob']);
  });

  it('is called for every event that it names', async () => {
    @Injectable()
    class Journal {
      @OnHubEvent('published')
      @OnHubEvent('connectionOpened')
      @OnHubEvent('channelOccupied')
      note(event: HubEventMap['connectionOpened' | 'channelOccupied' | 'published']): void {
        heard.push('connection' in event ? 'opened' : 'app' in event ? `published ${event.status}` : event.channel);
      }

      @OnHubEvent('published')
      again({ events }: HubEventMap['published']): void {
        heard.push(`${events} again`);
      }
    }
    await start({ providers: [Journal] });
    await happen();
    expect(heard).toEqual(['opened', 'opened', 'presence-room', 'published 0', '1 again']);
  });

  it('is inherited, and belongs to the class that has overridden it', async () => {
    @Injectable()
    class LoudAttendance extends Attendance {
      @OnHubEvent('channelOccupied')
      occupied(): void {
        heard.push('occupied');
      }
    }
    @Injectable()
    class DeafAttendance extends Attendance {
      override added(): void {
        heard.push('it must be told to listen');
      }
    }
    await start({ providers: [LoudAttendance, DeafAttendance] });
    await happen();
    expect([...heard].sort()).toEqual([...ATTENDED, 'occupied'].sort());
  });

  it('is called in the turn of the event, before the client hears of it', async () => {
    await start({ providers: [Attendance] });
    const { events } = gateway;
    const turns: number[] = [];
    events.on('memberAdded', () => turns.push(heard.length));
    await happen();
    // The handlers were bound first.
    expect(turns).toEqual([1, 2]);
  });
});

describe('Providers that are not there all the time', () => {
  it('are not called when they are made for each request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Attendance {}
    @Injectable()
    class NeedsOne extends Attendance {
      constructor(@Inject(PerRequest) readonly request: PerRequest) {
        super();
      }
    }
    @Controller('rooms')
    class RoomsController extends Attendance {
      constructor(@Inject(NeedsOne) readonly needsOne: NeedsOne) {
        super();
      }
    }
    await start({ providers: [PerRequest, NeedsOne], controllers: [RoomsController] });
    await happen();
    expect(heard).toEqual([]);
  });

  it('are called for each that they are injected into when they are transient', async () => {
    let made = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      private readonly number = ++made;

      @OnHubEvent('memberAdded')
      added({ member }: MemberAdded): void {
        heard.push(`${this.number} ${member.userId}`);
      }
    }
    @Injectable()
    class One {
      constructor(@Inject(Transient) readonly own: Transient) {}
    }
    @Injectable()
    class Two {
      constructor(@Inject(Transient) readonly own: Transient) {}
    }
    await start({ providers: [Transient, One, Two] });
    await happen();
    expect(made).toBe(2);
    expect([...heard].sort()).toEqual(['1 ada', '1 bob', '2 ada', '2 bob']);
    expect(gateway.log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

describe('The end of the application', () => {
  it('is heard by the handlers, and then they are not called any more', async () => {
    @Injectable()
    class Doorkeeper {
      @OnHubEvent('connectionClosed')
      closed(): void {
        heard.push('closed');
      }
    }
    await start({ providers: [Doorkeeper] });
    const opened: HubEventMap['connectionOpened'][] = [];
    gateway.events.on('connectionOpened', (event) => opened.push(event));
    const client = await gateway.connect();
    await gateway.app.close();
    expect(await client.closing()).toMatchObject({ code: 4200 });
    expect(heard).toEqual(['closed']);
    expect(opened).toHaveLength(1);
    for (const event of opened) gateway.events.emit('connectionClosed', event);
    expect(heard).toEqual(['closed']);
  });

  it('of one application leaves the handlers of another in place', async () => {
    await start({ providers: [Attendance] });
    const other = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf() }), {
      providers: [Attendance],
    });
    await other.stop();
    await happen();
    expect(heard).toEqual(ATTENDED);
  });
});

it('An object without a prototype, and a function, are nothing to look for handlers on', async () => {
  const names: HubEventName[] = ['memberAdded'];
  await start({
    providers: [
      { provide: 'bare', useValue: Object.assign(Object.create(null) as object, { names }) },
      { provide: 'function', useValue: () => names },
      { provide: 'null', useValue: null },
      Attendance,
    ],
  });
  await happen();
  expect(heard).toEqual(ATTENDED);
});
