import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisBroker } from '../broker/redis-broker.js';
import { RedisCommandBus } from '../broker/redis-command-bus.js';
import { COMMAND_NONCE_SCRIPTS, RedisCommandNonces } from '../commands/redis-command-nonces.js';
import { CHANNEL_SCRIPTS, PUBLISH_SCRIPTS, RedisChannelDirectory } from '../directory/redis-channel-directory.js';
import { RedisConnectionDirectory } from '../directory/redis-connection-directory.js';
import { RedisUserDirectory, USER_SCRIPTS } from '../directory/redis-user-directory.js';
import { RATE_LIMIT_SCRIPTS, RedisRateLimitStore } from '../rate-limit/redis-rate-limit-store.js';
import { createRedisClient, createWaitingRedisClient } from './redis-client.js';
import { RedisKeys } from './redis-keys.js';
import { LEASE_SCRIPTS, RedisLeases } from './redis-leases.js';
import { RedisLink } from './redis-link.js';
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

/**
 * One node's part in a cluster over Redis: every port, on three connections (publish, subscribe, directory). It
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
  private readonly logger = new Logger(RedisNode.name);
  private readonly publishLink: RedisLink;
  private readonly directory: Redis;
  private readonly session: RedisSession;
  private readonly pending: RedisPending;

  constructor(options: RedisOptions) {
    const keys = new RedisKeys(options.prefix, options.db);
    const publisher = createRedisClient(options, 'publish', options.publishTimeoutMs);
    this.publishLink = new RedisLink(publisher, {
      scripts: [...PUBLISH_SCRIPTS, ...RATE_LIMIT_SCRIPTS, ...COMMAND_NONCE_SCRIPTS],
      waitMs: options.publishWaitMs,
    });
    this.directory = createRedisClient(options, 'directory', options.commandTimeoutMs);
    const directoryLink = new RedisLink(this.directory, {
      scripts: DIRECTORY_SCRIPTS,
      waitMs: 0,
    });
    const leases = new RedisLeases(directoryLink, options, keys);
    const session = (this.session = new RedisSession(directoryLink, leases, options, keys));
    const pending = (this.pending = new RedisPending(session, leases));
    session.onPending = leases.onPending = (bucket) => pending.note(bucket);
    this.broker = new RedisBroker(options, keys, this.publishLink, publisher);
    this.commands = new RedisCommandBus(publisher, keys);
    this.channels = new RedisChannelDirectory(this.session, this.publishLink, keys);
    this.users = new RedisUserDirectory(this.session);
    this.connections = new RedisConnectionDirectory(this.session);
    this.rateLimits = new RedisRateLimitStore(this.publishLink, keys);
    this.nonces = new RedisCommandNonces(this.publishLink, keys);
    const streams = new RedisEndpointStreams(directoryLink, keys);
    session.observe({ missed: () => streams.beginAnew() });
    const jobs = new RedisDrainJobs((name) => createWaitingRedisClient(options, name), keys.jobs);
    this.webhooks = new RedisWebhookQueue(session, pending, streams, jobs);
    this.directory.once('ready', () => void this.checkEviction());
  }

  onModuleInit(): void {
    this.publishLink.connect();
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
    await this.publishLink.close();
  }

  /** A Redis that throws keys away when it is full forgets who is connected. */
  private async checkEviction(): Promise<void> {
    try {
      const [, policy] = (await this.directory.config('GET', 'maxmemory-policy')) as [string, string];
      if (policy === undefined || policy === 'noeviction') return;
      this.logger.warn(`Redis has maxmemory-policy ${policy}: set it to noeviction, or members and counts get lost`);
    } catch {
      // A hosted Redis may not tell.
    }
  }
}
