import { CHANNELS, isPresence } from './channels.js';
import { NODES } from './schedule.js';
import type { RedisInspector } from './simulated-redis.js';
import { difference, socketsOf, type Truth } from './truth.js';

const NODE_KEY = /^\{pogo\}:[bc]:(.*)$/;
const BUCKET_KEY = /^\{pogo:1:u?\d+\}:([a-z])(?::(.*))?$/;
/** A seat begins with who holds it. */
const INCARNATION_LENGTH = 16;

/** What is wrong with what is in Redis itself: leftovers of the dead, seats without a client, indices that disagree. */
export async function wrongInRedis(redis: RedisInspector, truth: Truth): Promise<string[]> {
  const living = new Set(await redis.zrange('{pogo}:l', '0', '-1'));
  const problems = [
    ...difference('leases', living.size, NODES),
    ...difference('claims', await redis.hkeys('{pogo}:x'), []),
  ];
  const keys = await redis.keys('{pogo*');
  const held: string[] = [];
  const seats: string[] = [];
  const occupied: string[] = [];
  const places = new Map<string, string[]>();
  for (const key of keys) {
    const [, ofNode] = NODE_KEY.exec(key) ?? [];
    if (ofNode !== undefined && !living.has(ofNode)) problems.push(`${key} is of a dead node`);
    const [, letter, name = ''] = BUCKET_KEY.exec(key) ?? [];
    if (letter === 'o') occupied.push(...(await redis.zrange(key, '0', '-1')));
    if (letter === 'h') {
      if (!living.has(name)) problems.push(`${key} is of a dead node`);
      // The mark says that the node has been there.
      const entries = (await redis.smembers(key)).filter((entry) => entry !== '*');
      held.push(...entries.map((entry) => `${entry} ${name}`));
    }
    if (letter === 's') {
      const all = Object.entries(await redis.hgetall(key));
      const sockets = all.filter(([id]) => id !== 'n').sort();
      seats.push(...sockets.map(([id, seat]) => `${id} ${name} ${seat.slice(0, INCARNATION_LENGTH)}`));
      places.set(
        name,
        sockets.map(([id]) => id),
      );
    }
  }
  problems.push(
    ...difference('holdings', held.sort(), seats.sort()),
    ...difference('occupied', occupied.sort(), [...places.keys()].sort()),
    ...(await wrongMembers(redis, keys, truth)),
  );
  for (const [name, clients] of [...truth.subscribers, ...truth.online]) {
    problems.push(...difference(`sockets of ${name}`, places.get(name) ?? [], socketsOf(clients)));
    places.delete(name);
  }
  for (const [name, ids] of places) problems.push(`sockets of ${name}, where nobody is: ${ids.join()}`);
  return problems;
}

/** The three keys about the members of a channel. */
async function wrongMembers(redis: RedisInspector, keys: readonly string[], truth: Truth): Promise<string[]> {
  const problems: string[] = [];
  for (const channel of CHANNELS.filter(isPresence)) {
    const members = truth.membersOf(channel);
    const find = (letter: string): string => keys.find((key) => key.endsWith(`}:${letter}:${channel}`)) ?? '';
    const places = (truth.subscribers.get(channel) ?? []).map(
      ({ user, socketId }) => `${user.length}:${user}:${socketId}`,
    );
    problems.push(
      ...difference(`members of ${channel}`, (await redis.zrange(find('m'), '0', '-1')).sort(), members),
      ...difference(`infos of ${channel}`, (await redis.hkeys(find('i'))).sort(), members),
      ...difference(`places of ${channel}`, (await redis.zrange(find('p'), '0', '-1')).sort(), places.sort()),
    );
  }
  return problems;
}
