import assert from 'node:assert/strict';
import { parseChannelName, type ChannelName, type Member } from '@pogo/pusher-protocol';
import { askAgain } from '../ask-again.js';
import { topicOf, type Broker } from '../broker/broker.js';
import { decodeEnvelope, type Envelope } from '../broker/envelope.js';
import type {
  ChannelDirectory,
  Holding,
  Joined,
  JoinAnswer,
  KnownMembers,
  Transition,
  Wishes,
} from '../directory/channel-directory.js';
import { eachWith, eventually, type Harness, type TestApi } from './test-api.js';

/** Two nodes' directories over one truth, empty, and a broker on which their transitions arrive. */
export interface ChannelDirectoryHarness extends Harness {
  readonly nodes: readonly [ChannelDirectory, ChannelDirectory];
  readonly broker: Broker;
  /** False when the implementation loses answers: then calls may cause transitions that no answer lists. */
  readonly isReliable: boolean;
}

type CreateHarness = () => Promise<ChannelDirectoryHarness> | ChannelDirectoryHarness;

/** What every {@link ChannelDirectory} must do. Run it in your own suite over your own implementation. */
export function channelDirectoryContract(api: TestApi, name: string, create: CreateHarness): void {
  api.describe(`ChannelDirectory contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('announces a user’s first connection and stays silent for the second', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-a');
      const first = joined(await join(nodes[0], presence('presence-a', '1.1', ALICE)));
      const second = joined(await join(nodes[1], presence('presence-a', '2.1', ALICE)));
      const bob = joined(await join(nodes[1], presence('presence-a', '2.2', BOB)));
      await eventually(() => seen.length === 2);
      assert.deepEqual(seen.map(wordOf), ['member_added alice', 'member_added bob']);
      assert.deepEqual(first.members, [ALICE]);
      assert.deepEqual(second.members, [ALICE]);
      assert.deepEqual(bob.members, [ALICE, BOB]);
      assert.deepEqual(await counts(nodes[0], 'presence-a'), [3, 2]);
    });

    test('announces a departure when the user’s last connection has left', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-a');
      for (const socketId of ['1.1', '1.2']) await join(nodes[0], presence('presence-a', socketId, ALICE));
      await leave(nodes[0], presence('presence-a', '1.1', ALICE));
      assert.deepEqual(await counts(nodes[1], 'presence-a'), [1, 1]);
      await leave(nodes[0], presence('presence-a', '1.2', ALICE));
      await eventually(() => seen.length === 2);
      assert.deepEqual(seen.map(wordOf), ['member_added alice', 'member_removed alice']);
      assert.deepEqual(await counts(nodes[1], 'presence-a'), [0, 0]);
    });

    test('takes a repeated join or leave for the first one', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-a');
      const holding = presence('presence-a', '1.1', ALICE);
      await join(nodes[0], holding);
      const again = joined(await join(nodes[0], holding));
      assert.deepEqual([again.members, again.transitions], [[ALICE], []]);
      assert.deepEqual(await counts(nodes[0], 'presence-a'), [1, 1]);
      await leave(nodes[0], holding);
      assert.deepEqual(await leave(nodes[0], holding), []);
      assert.deepEqual(await leave(nodes[0], presence('presence-a', '9.9', BOB)), []);
      await eventually(() => seen.length === 2);
      assert.deepEqual(seen.map(wordOf), ['member_added alice', 'member_removed alice']);
    });

    test('lists in an answer the transitions that the call caused', async ({ nodes, isReliable }) => {
      const holding = presence('presence-a', '1.1', ALICE);
      const answer = joined(await join(nodes[0], holding));
      const left = await leave(nodes[0], holding);
      if (!isReliable) return;
      assert.deepEqual(answer.transitions.map(typeOf), ['channel_occupied', 'member_added']);
      assert.deepEqual(left.map(typeOf), ['member_removed', 'channel_vacated']);
      const serials = [...answer.transitions, ...left].map(({ serial }) => serial);
      assert.deepEqual(
        serials,
        [...new Set(serials)].sort((a, b) => a - b),
        'serials grow',
      );
    });

    test('shows in the snapshot everything up to its serial, and nothing after it', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-a');
      const alice = joined(await join(nodes[0], presence('presence-a', '1.1', ALICE)));
      const bob = joined(await join(nodes[1], presence('presence-a', '2.1', BOB)));
      await eventually(() => seen.length === 2);
      const [first, second] = seen.map(serialOf) as [number, number];
      assert.ok(first <= alice.serial && alice.serial < second && second <= bob.serial);
    });

    test('never starts serials again, not even for a channel that was empty', async ({ nodes }) => {
      const holding = presence('presence-a', '1.1', ALICE);
      const before = joined(await join(nodes[0], holding));
      await leave(nodes[0], holding);
      const after = joined(await join(nodes[0], holding));
      assert.ok(after.serial > before.serial);
    });

    test('keeps a user’s first user_info until the user has left', async ({ nodes }) => {
      await join(nodes[0], presence('presence-a', '1.1', ALICE));
      const renamed = { userId: 'alice', userInfoJson: '{"name":"Alicia"}' };
      assert.deepEqual(joined(await join(nodes[1], presence('presence-a', '2.1', renamed))).members, [ALICE]);
      await leave(nodes[0], presence('presence-a', '1.1', ALICE));
      await leave(nodes[1], presence('presence-a', '2.1', renamed));
      assert.deepEqual(joined(await join(nodes[1], presence('presence-a', '2.1', renamed))).members, [renamed]);
    });

    test('answers all members to those who know some of them, whoever has come and gone since', async ({ nodes }) => {
      const carol = { userId: 'carol' };
      const again = { userId: 'bob', userInfoJson: '{"again":true}' };
      const first = joined(await join(nodes[0], presence('presence-a', '1.1', ALICE)));
      const second = joined(await join(nodes[0], presence('presence-a', '1.2', BOB), 100, NO_WISHES, first));
      assert.deepEqual(second.members, [ALICE, BOB]);
      const third = joined(await join(nodes[1], presence('presence-a', '2.1', carol), 100, NO_WISHES, second));
      assert.deepEqual(third.members, [ALICE, BOB, carol]);
      const nothingNew = joined(await join(nodes[1], presence('presence-a', '2.2', ALICE), 100, NO_WISHES, third));
      assert.deepEqual(nothingNew.members, [ALICE, BOB, carol]);
      await leave(nodes[0], presence('presence-a', '1.2', BOB));
      const without = joined(await join(nodes[1], presence('presence-a', '2.3', ALICE), 100, NO_WISHES, third));
      assert.deepEqual(without.members, [ALICE, carol]);
      await join(nodes[0], presence('presence-a', '1.3', again));
      const returned = joined(await join(nodes[1], presence('presence-a', '2.4', ALICE), 100, NO_WISHES, third));
      assert.deepEqual(returned.members, [ALICE, carol, again]);
      const late = joined(await join(nodes[1], presence('presence-a', '2.5', carol), 100, NO_WISHES, first));
      assert.deepEqual(late.members, [ALICE, carol, again]);
    });

    test('refuses one member too many, but never somebody who is a member', async ({ nodes }) => {
      await join(nodes[0], presence('presence-a', '1.1', ALICE), 1);
      assert.equal((await join(nodes[1], presence('presence-a', '2.1', BOB), 1)).outcome, 'member_limit');
      assert.equal((await join(nodes[1], presence('presence-a', '2.2', ALICE), 1)).outcome, 'joined');
      assert.deepEqual(await counts(nodes[0], 'presence-a'), [2, 1]);
    });

    test('keeps apps and channels apart, whatever they are called', async ({ nodes }) => {
      await join(nodes[0], { appId: 'app', channel: channelName('__proto__'), socketId: '1.1' });
      await join(nodes[0], presence('presence-constructor', '1.1', { userId: '__proto__' }));
      await join(nodes[0], { ...presence('presence-b', '1.1', BOB), appId: 'other' });
      const listed = await askAgain(() => nodes[1].listChannels('app', ''), never);
      assert.deepEqual(listed.map(({ name }) => name).sort(), ['__proto__', 'presence-constructor']);
      const state = await find(nodes[1], 'presence-constructor');
      assert.deepEqual(state.members, [{ userId: '__proto__' }]);
    });

    test('lists occupied channels by prefix and forgets vacated ones', async ({ nodes }) => {
      for (const name of ['room-1', 'room-2', 'lobby']) await join(nodes[0], open(name, '1.1'));
      await leave(nodes[0], open('room-2', '1.1'));
      const listed = await askAgain(() => nodes[1].listChannels('app', 'room-'), never);
      assert.deepEqual(listed, [{ name: 'room-1', subscriptionCount: 1, userCount: 0 }]);
      assert.deepEqual(await counts(nodes[1], 'room-2'), [0, 0]);
    });

    test('has transitions that strictly alternate, however many nodes race', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-a');
      await Promise.all(
        nodes.map(async (node, n) => {
          for (let i = 0; i < 50; i++) {
            const holding = presence('presence-a', `${n}.${i}`, ALICE);
            await join(node, holding);
            await leave(node, holding);
          }
        }),
      );
      await join(nodes[0], presence('presence-a', '3.3', BOB));
      await eventually(() => seen.some((envelope) => wordOf(envelope) === 'member_added bob'));
      const alice = seen.map(wordOf).filter((word) => word.endsWith('alice'));
      assert.ok(alice.length >= 2);
      alice.forEach((word, i) => assert.equal(word, i % 2 === 0 ? 'member_added alice' : 'member_removed alice'));
      assert.equal(alice.length % 2, 0);
      const serials = seen.map((envelope) => serialOf(envelope));
      assert.deepEqual(
        serials,
        serials.toSorted((a, b) => a - b),
      );
    });

    test('tells the number of connections where it is wished, and not to presence channels', async ({
      nodes,
      broker,
    }) => {
      const wishes = { counts: true, webhooks: false };
      const seen = await watch(broker, 'counted');
      const first = open('counted', '1.1');
      await join(nodes[0], first, 0, wishes);
      await join(nodes[1], open('counted', '2.1'), 0, wishes);
      await join(nodes[1], open('counted', '2.1'), 0, wishes);
      await join(nodes[0], open('counted', '1.2'), 0, wishes);
      await leave(nodes[0], first);
      await leave(nodes[0], first);
      await join(nodes[0], open('counted', '1.3'), 0, wishes);
      await eventually(() => seen.length >= 5);
      assert.deepEqual(seen.map(wordOf), ['count 1', 'count 2', 'count 3', 'count 2', 'count 3']);
      const serials = seen.map(serialOf);
      assert.deepEqual(
        [...new Set(serials)],
        serials.toSorted((a, b) => a - b),
      );
      assert.equal((await find(nodes[1], 'counted')).serial, serials.at(-1));
    });

    test('counts no members of presence channels', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'presence-counted');
      const wishes = { counts: true, webhooks: false };
      await join(nodes[0], presence('presence-counted', '1.1', ALICE), 9, wishes);
      await join(nodes[1], presence('presence-counted', '2.1', BOB), 9, wishes);
      await eventually(() => seen.length >= 2);
      assert.deepEqual(seen.map(wordOf), ['member_added alice', 'member_added bob']);
    });

    test('tells of more than a hundred connections once in a while, and the last number in any case', async ({
      nodes,
      broker,
    }) => {
      const wishes = { counts: true, webhooks: false };
      const seen = await watch(broker, 'crowd');
      const sockets = Array.from({ length: 130 }, (_, i) => open('crowd', `${i}.1`));
      for (const [i, socket] of sockets.entries()) await join(nodes[i % 2 === 0 ? 0 : 1], socket, 0, wishes);
      await eventually(() => seen.some((envelope) => wordOf(envelope) === 'count 130'));
      const numbers = seen.map((envelope) => (envelope.type === 'subscription_count' ? envelope.count : NaN));
      assert.deepEqual(
        numbers.slice(0, 101),
        Array.from({ length: 101 }, (_, i) => i + 1),
      );
      // And then, after the pause, where it has come to; on a slow machine the way takes several.
      assert.ok(numbers.length < 115, `${numbers.length} numbers for 130 connections`);
    });

    test('publishes a cached event and shows it to those who join later', async ({ nodes, broker }) => {
      const seen = await watch(broker, 'cache-a');
      const early = joined(await join(nodes[0], open('cache-a', '1.1')));
      assert.equal(early.cached, undefined);
      const payload = Buffer.from('{"event":"e"}');
      const publish = { appId: 'app', channel: 'cache-a', payload, ttlMs: 60_000, exceptSocketId: '1.1' };
      await askAgain(() => nodes[0].publishCached(publish), never);
      await eventually(() => seen.length > 0);
      const [event] = seen;
      assert.ok(event?.type === 'event' && event.exceptSocketId === '1.1' && event.payload.equals(payload));
      const late = joined(await join(nodes[1], open('cache-a', '2.1')));
      assert.deepEqual(late.cached?.payload, payload);
      assert.ok(late.cached.expiresInMs > 0 && late.cached.expiresInMs <= 60_000);
      assert.ok(early.serial < serialOf(event) && serialOf(event) <= late.serial);
    });

    test('keeps a cached event without subscribers, and not beyond its time', async ({ nodes }) => {
      const event = { appId: 'app', channel: 'cache-a', payload: Buffer.from('{}') };
      await askAgain(() => nodes[0].publishCached({ ...event, ttlMs: 60_000 }), never);
      assert.ok((await find(nodes[1], 'cache-a')).cached !== undefined);
      assert.deepEqual(await counts(nodes[1], 'cache-a'), [0, 0]);
      await askAgain(() => nodes[0].publishCached({ ...event, ttlMs: 1 }), never);
      await eventually(async () => (await find(nodes[1], 'cache-a')).cached === undefined);
    });
  });
}

const ALICE: Member = { userId: 'alice', userInfoJson: '{"name":"Alice"}' };
const BOB: Member = { userId: 'bob' };
const never = () => false;

function channelName(name: string): ChannelName {
  return parseChannelName(name, 200) as ChannelName;
}

const NO_WISHES: Wishes = { counts: false, webhooks: false };

function open(channel: string, socketId: string): Holding {
  return { appId: 'app', channel: channelName(channel), socketId };
}

function presence(channel: string, socketId: string, member: Member): Holding {
  return { ...open(channel, socketId), member };
}

function join(
  directory: ChannelDirectory,
  holding: Holding,
  maxMembers = 100,
  wishes: Wishes = NO_WISHES,
  known?: KnownMembers,
): Promise<JoinAnswer> {
  const request = { ...holding, maxMembers, wishes, ...(known === undefined ? {} : { known }) };
  return askAgain(() => directory.join(request), never);
}

function leave(directory: ChannelDirectory, holding: Holding): Promise<readonly Transition[]> {
  return askAgain(() => directory.leave(holding), never);
}

function joined(answer: JoinAnswer): Joined {
  assert.ok(answer.outcome === 'joined');
  return answer;
}

function find(directory: ChannelDirectory, channel: string) {
  return askAgain(() => directory.findChannel('app', channel, { members: true, cached: true }), never);
}

async function counts(directory: ChannelDirectory, channel: string): Promise<[sockets: number, users: number]> {
  const { subscriptionCount, userCount } = await find(directory, channel);
  return [subscriptionCount, userCount];
}

/** What is published on the channel's topic from now on. */
async function watch(broker: Broker, channel: string): Promise<Envelope[]> {
  const seen: Envelope[] = [];
  broker.attach({
    message: (_topic, bytes) => {
      const envelope = decodeEnvelope(bytes);
      assert.ok(envelope !== undefined);
      seen.push(envelope);
    },
    interrupted: () => undefined,
    resumed: () => undefined,
  });
  await askAgain(() => broker.subscribe(topicOf('app', channel)), never);
  return seen;
}

function wordOf(envelope: Envelope): string {
  if (envelope.type === 'subscription_count') return `count ${envelope.count}`;
  return 'member' in envelope ? `${envelope.type} ${envelope.member.userId}` : envelope.type;
}

function serialOf(envelope: Envelope | undefined): number {
  return (envelope !== undefined && 'serial' in envelope ? envelope.serial : undefined) ?? NaN;
}

function typeOf({ type }: Transition): string {
  return type;
}
