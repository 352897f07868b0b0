import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { RedisClusterSubscriber } from '../broker/redis-cluster-subscriber.js';
import { plainly, RedisSubscriber } from '../broker/redis-subscriber.js';
import type { RedisSubscriptions } from '../broker/redis-subscriptions.js';
import { createOnceRedisClient, createRedisClient, createWaitingRedisClient } from './redis-client.js';
import { RedisClusterLink } from './redis-cluster-link.js';
import { RedisConnectionLink } from './redis-connection-link.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisLink } from './redis-link.js';
import type { RedisOptions, RedisPlace } from './redis-options.js';
import type { RedisScript } from './redis-script.js';
import { RedisSlots } from './redis-slots.js';

const logger = new Logger('Redis');

/** Everything by which a node is connected to Redis, whatever kind of Redis that is. */
export interface RedisConnections {
  /** Where publishes leave: known to be down soon. */
  readonly publish: RedisLink;
  /** Where the directory is asked. */
  readonly directory: RedisLink;
  /** @param receive what others have published. */
  subscriptions(receive: (name: string, bytes: Buffer) => void): RedisSubscriptions;
  /** What Nest's clients of Redis are made of. */
  readonly publisher: Pick<Redis, 'publish'>;
  /** For BullMQ. */
  waiting(name: string): Redis | Cluster;
  close(): void;
}

export interface RedisScripts {
  readonly publish: readonly RedisScript[];
  readonly directory: readonly RedisScript[];
}

export function connectRedis(options: RedisOptions, keys: RedisKeys, scripts: RedisScripts): RedisConnections {
  return options.clusterNodes.length > 0 ? toCluster(options, keys, scripts) : toPrimary(options, scripts);
}

/** One server, or the one that the Sentinels name. */
function toPrimary(options: RedisOptions, scripts: RedisScripts): RedisConnections {
  const publisher = createRedisClient(options, 'publish', options.publishTimeoutMs);
  return {
    publish: new RedisConnectionLink(publisher, { scripts: scripts.publish, waitMs: options.publishWaitMs }),
    directory: directoryLink(options, scripts),
    subscriptions: (receive) => {
      const redis = createRedisClient(options, 'subscribe', options.commandTimeoutMs);
      // The links have said why.
      redis.on('error', () => undefined);
      redis.on('messageBuffer', (name: Buffer, bytes: Buffer) => receive(name.toString(), bytes));
      return new RedisSubscriber(redis, plainly(redis));
    },
    publisher,
    waiting: (name) => createWaitingRedisClient(options, name),
    close: () => undefined,
  };
}

function toCluster(options: RedisOptions, keys: RedisKeys, scripts: RedisScripts): RedisConnections {
  const { publishTimeoutMs, publishWaitMs, commandTimeoutMs, clusterNodes } = options;
  const slots = new RedisSlots(clusterNodes, (place) => createOnceRedisClient(options, 'slots', place));
  const publishTo = (place: RedisPlace) =>
    new RedisConnectionLink(createRedisClient(options, 'publish', publishTimeoutMs, place), {
      scripts: scripts.publish,
      waitMs: publishWaitMs,
      isOfCluster: true,
    });
  const publish = new RedisClusterLink(slots, publishTo, publishWaitMs);
  const askAt = (place: RedisPlace) => directoryLink(options, scripts, place);
  const isPattern = (name: string) => keys.patternIn(name) !== undefined;
  const subscribeAt = (place: RedisPlace) => createRedisClient(options, 'subscribe', commandTimeoutMs, place);
  return {
    publish,
    directory: new RedisClusterLink(slots, askAt, commandTimeoutMs),
    subscriptions: (receive) => new RedisClusterSubscriber(slots, isPattern, subscribeAt, receive),
    publisher: publisherOver(publish),
    waiting: (name) => createWaitingRedisClient(options, name),
    close: () => slots.close(),
  };
}

function directoryLink(options: RedisOptions, scripts: RedisScripts, place?: RedisPlace): RedisLink {
  const redis = createRedisClient(options, 'directory', options.commandTimeoutMs, place);
  let isInspected = false;
  return new RedisConnectionLink(redis, {
    scripts: scripts.directory,
    waitMs: 0,
    isOfCluster: place !== undefined,
    inspect: async () => {
      if (isInspected) return;
      isInspected = true;
      await checkEviction(redis);
    },
  });
}

/** A Redis that throws keys away when it is full forgets who is connected. Rejects where a hosted Redis does not tell. */
async function checkEviction(redis: Redis): Promise<void> {
  const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as [string, string];
  if (policy === undefined || policy === 'noeviction') return;
  logger.warn(`Redis has maxmemory-policy ${policy}: set it to noeviction, or members and counts get lost`);
}

/** Publishes to a whole cluster, by whichever server has the slot of the name. Nest asks by callbacks or promises. */
function publisherOver(link: RedisLink): Pick<Redis, 'publish'> {
  return {
    publish: (channel: string, text: string, callback?: (error: Error | null, heard?: number) => void) => {
      const published = link.run('publish', [channel, text]) as Promise<number>;
      if (callback !== undefined) {
        published.then(
          (heard) => callback(null, heard),
          (error: unknown) => callback(error as Error),
        );
      }
      return published;
    },
  };
}
