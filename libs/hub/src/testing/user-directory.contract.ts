import assert from 'node:assert/strict';
import { askAgain } from '../ask-again.js';
import type { SignedIn, UserDirectory, UserTransition } from '../directory/user-directory.js';
import { eachWith, type Harness, type TestApi } from './test-api.js';

export interface UserDirectoryHarness extends Harness {
  /** Two nodes' directories over one truth, empty. */
  readonly nodes: readonly [UserDirectory, UserDirectory];
  /** False when the implementation loses answers: then calls may cause transitions that no answer lists. */
  readonly isReliable: boolean;
}

const never = () => false;

/** What every {@link UserDirectory} must do. */
export function userDirectoryContract(
  api: TestApi,
  name: string,
  create: () => Promise<UserDirectoryHarness> | UserDirectoryHarness,
): void {
  api.describe(`UserDirectory contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('has a user online from the first connection to the last', async ({ nodes, isReliable }) => {
      const [a, b] = [user('alice', '1.1'), user('alice', '2.1')];
      const told = [await signIn(nodes[0], a), await signIn(nodes[1], b), await signIn(nodes[1], b)];
      assert.deepEqual(await online(nodes[0], ['alice', 'bob']), ['alice']);
      told.push(await signOut(nodes[0], a));
      assert.deepEqual(await online(nodes[0], ['alice']), ['alice']);
      told.push(await signOut(nodes[1], b), await signOut(nodes[1], b));
      assert.deepEqual(await online(nodes[0], ['alice']), []);
      if (isReliable) assert.deepEqual(told.map(wordsOf), ['user_online', '', '', '', 'user_offline', '']);
      const serials = told.flat().map(({ serial }) => serial);
      assert.deepEqual(
        serials,
        serials.toSorted((x, y) => x - y),
      );
    });

    test('keeps apps and users apart, whatever they are called', async ({ nodes }) => {
      const names = ['__proto__', 'a', 'a:1', 'ü ', 'constructor', '{x}'];
      for (const [i, name] of names.entries()) await signIn(nodes[0], user(name, `${i}.1`));
      await signIn(nodes[1], { ...user('b', '9.9'), appId: 'other' });
      assert.deepEqual(await online(nodes[1], [...names, 'b', 'toString', '']), names);
      await signOut(nodes[0], user('a', '1.1'));
      assert.deepEqual(await online(nodes[1], ['a', 'a:1']), ['a:1']);
    });

    test('ignores the departure of a connection that is nobody’s', async ({ nodes }) => {
      await signIn(nodes[0], user('alice', '1.1'));
      assert.deepEqual(await signOut(nodes[1], user('alice', '7.7')), []);
      assert.deepEqual(await signOut(nodes[1], user('bob', '1.1')), []);
      assert.deepEqual(await online(nodes[1], ['alice', 'bob']), ['alice']);
    });

    test('has transitions that alternate, however many nodes race', async ({ nodes, isReliable }) => {
      const told = await Promise.all(
        nodes.map(async (node, n) => {
          const caused: UserTransition[] = [];
          for (let i = 0; i < 50; i++) {
            caused.push(...(await signIn(node, user('alice', `${n}.${i}`))));
            caused.push(...(await signOut(node, user('alice', `${n}.${i}`))));
          }
          return caused;
        }),
      );
      assert.deepEqual(await online(nodes[0], ['alice']), []);
      if (!isReliable) return;
      const types = told
        .flat()
        .sort((x, y) => x.serial - y.serial)
        .map(({ type }) => type);
      types.forEach((type, i) => assert.equal(type, i % 2 === 0 ? 'user_online' : 'user_offline'));
    });
  });
}

function user(userId: string, socketId: string): SignedIn {
  return { appId: 'app', userId, socketId };
}

function signIn(directory: UserDirectory, signedIn: SignedIn): Promise<readonly UserTransition[]> {
  return askAgain(() => directory.signIn(signedIn), never);
}

function signOut(directory: UserDirectory, signedIn: SignedIn): Promise<readonly UserTransition[]> {
  return askAgain(() => directory.signOut(signedIn), never);
}

async function online(directory: UserDirectory, userIds: readonly string[]): Promise<string[]> {
  const found = await askAgain(() => directory.findUsers('app', userIds), never);
  assert.deepEqual([...found.keys()], [...userIds]);
  return userIds.filter((userId) => found.get(userId)?.isOnline);
}

function wordsOf(transitions: readonly UserTransition[]): string {
  return transitions.map(({ type }) => type).join();
}
