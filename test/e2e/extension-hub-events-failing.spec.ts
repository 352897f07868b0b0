import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { GatewayModule, OnHubEvent } from '@pogo/gateway';
import type { HubEventMap } from '@pogo/hub';
import { afterEach, describe, expect, it } from 'vitest';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { APP } from '../support/gateway.js';

type MemberAdded = HubEventMap['memberAdded'];

/** Who has heard what, in order. */
const heard: string[] = [];
let gateway: EmbeddedGateway;

const start = async (rest: ModuleMetadata) =>
  (gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf() }), rest));
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

const NOTHING = undefined as unknown as Error;
const UNPRINTABLE = Object.create(null) as Error;

function fail(error: unknown): never {
  throw error;
}

describe('A method with @OnHubEvent that fails', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['throws', () => fail(new Error('boom')), /listener of memberAdded threw/],
    ['throws undefined', () => fail(undefined), /listener of memberAdded threw/],
    ['throws what nobody can print', () => fail(Object.create(null)), /listener of memberAdded threw/],
    ['rejects', () => Promise.reject(new Error('boom')), /Failing\.added rejected/],
    ['rejects with nothing', () => new Promise((_resolve, reject) => reject(NOTHING)), /Failing\.added rejected/],
    ['rejects with what nobody can print', () => Promise.reject(UNPRINTABLE), /Failing\.added rejected/],
    [
      'rejects as another library does',
      () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(new Error('boom')) }),
      /Failing\.added rejected/,
    ],
    ['is a thenable that throws', () => ({ then: () => fail(new Error('boom')) }), /Failing\.added rejected/],
  ])('is logged and disturbs nobody: %s', async (_how, answer, logged) => {
    @Injectable()
    class Failing {
      @OnHubEvent('memberAdded')
      added(): unknown {
        return answer();
      }
    }
    // Before and behind it.
    await start({ providers: [{ provide: 'before', useClass: Attendance }, Failing, Attendance] });
    await happen();
    expect([...heard].sort()).toEqual([...ATTENDED, ...ATTENDED].sort());
    // Once: clients may make it fail as often as they like.
    expect(gateway.log.lines.filter((line) => logged.test(line))).toHaveLength(1);
    await happen();
  });
});
