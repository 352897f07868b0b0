import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RedisBroker } from '../broker/redis-broker.js';
import { RedisCommandBus } from '../broker/redis-command-bus.js';
import { COMMAND_NONCE_SCRIPTS, RedisCommandNonces } from '../commands/redis-command-nonces.js';
import { CHANNEL_SCRIPTS, PUBLISH_SCRIPTS, RedisChannelDirectory } from '../directory/redis-channel-directory.js';
import { RedisConnectionDirectory } from '../directory/redis-connection-directory.js';
import { RedisUserDirectory, USER_SCRIPTS } from '../directory/redis-user-directory.js';
import { RATE_LIMIT_SCRIPTS, RedisRateLimitStore } from '../rate-limit/redis-rate-limit-store.js';
import { connectRedis, type RedisConnections } from './redis-connections.js';
import { RedisKeys } from './redis-keys.js';
import { LEASE_SCRIPTS, RedisLeases } from './redis-leases.js';
import type { RedisOptions } from './redis-options.js';
import { PENDING_SCRIPTS, RedisPending } from './redis-pending.js';
import { restoreScript } from './redis-restore.js';
import { RedisSession } from './redis-session.js';
import { RedisDrainJobs } from '../webhooks/redis-drain-jobs.js';
import { ENDPOINT_SCRIPTS, RedisEndpointStreams } from '../webhooks/redis-endpoint-streams.js';
import { RedisWebhookQueue, WEBHOOK_SCRIPTS } from '../webhooks/redis-webhook-queue.js';

const DIRECTORY_SCRIPTS = [
  ...LEASE_SCRIPTS,
  restoreScript,
  ...CHANNEL_SCRIPTS,
  ...USER_SCRIPTS,
  ...PENDING_SCRIPTS,
  ...WEBHOOK_SCRIPTS,
  ...ENDPOINT_SCRIPTS,
];
const PUBLISHING_SCRIPTS = [...PUBLISH_SCRIPTS, ...RATE_LIMIT_SCRIPTS, ...COMMAND_NONCE_SCRIPTS];

/**
 * One node's part in a cluster over Redis: every port, on three connections (publish, subscribe, directory) to each
 * server that has a say. It
 * connects when the application starts, or whenever Redis comes, and leaves when everything else has ended.
 */
@Injectable()
export class RedisNode implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly broker: RedisBroker;
  readonly commands: RedisCommandBus;
  readonly channels: RedisChannelDirectory;
  readonly users: RedisUserDirectory;
  readonly connections: RedisConnectionDirectory;
  readonly rateLimits: RedisRateLimitStore;
  readonly nonces: RedisCommandNonces;
  readonly webhooks: RedisWebhookQueue;
  private readonly redis: RedisConnections;
  private readonly session: RedisSession;
  private readonly pending: RedisPending;

  constructor(options: RedisOptions) {
    const keys = new RedisKeys(options.prefix, options.db, options.clusterNodes.length > 0);
    const redis = (this.redis = connectRedis(options, keys, {
      publish: PUBLISHING_SCRIPTS,
      directory: DIRECTORY_SCRIPTS,
    }));
    const leases = new RedisLeases(redis.directory, options, keys);
    const session = (this.session = new RedisSession(redis.directory, leases, options, keys));
    const pending = (this.pending = new RedisPending(session, leases));
    session.onPending = leases.onPending = (bucket) => pending.note(bucket);
    const subscriptions = redis.subscriptions((name, bytes) => this.broker.receive(name, bytes));
    this.broker = new RedisBroker(keys, redis.publish, subscriptions, redis.publisher);
    this.commands = new RedisCommandBus(redis.publisher, keys);
    this.channels = new RedisChannelDirectory(session, redis.publish, keys);
    this.users = new RedisUserDirectory(session);
    this.connections = new RedisConnectionDirectory(session);
    this.rateLimits = new RedisRateLimitStore(redis.publish, keys);
    this.nonces = new RedisCommandNonces(redis.publish, keys);
    const streams = new RedisEndpointStreams(redis.directory, keys);
    session.observe({ missed: () => streams.beginAnew() });
    const jobs = new RedisDrainJobs((name) => redis.waiting(name), keys.jobs);
    this.webhooks = new RedisWebhookQueue(session, pending, streams, jobs);
  }

  onModuleInit(): void {
    this.redis.publish.connect();
    this.session.start();
    this.pending.start();
  }

  /** Commands come by the broker of Redis even where the application publishes by another one. */
  onApplicationBootstrap(): void {
    this.broker.connect();
  }

  /** The last to end: whoever leaves before is still recorded. */
  async onApplicationShutdown(): Promise<void> {
    await this.webhooks.close(0);
    await this.session.close();
    this.pending.close();
    await this.broker.close();
    await this.redis.publish.close();
    this.redis.close();
  }
}
