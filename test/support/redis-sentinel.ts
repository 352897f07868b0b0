import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Running } from './process.js';
import { binary, freePort, mortal, RedisServer } from './redis.js';

const NAME = 'pogo-primary';
const SENTINELS = 3;
/** After that a silent server counts as down. */
const DOWN_MS = 1_000;

export interface RedisSentinelOptions {
  /** Of Redis. */
  readonly password?: string;
  /** Of the Sentinels. */
  readonly sentinelPassword?: string;
}

/** A primary, a replica and three Sentinels, real ones, on 127.0.0.1 and without persistence. */
export class RedisSentinelServers {
  /** What the Sentinels call the primary. */
  readonly name = NAME;

  private constructor(
    /** The first primary, and its replica. */
    readonly servers: readonly [RedisServer, RedisServer],
    private readonly sentinels: readonly { readonly port: number; readonly running: Running }[],
    /** For tests to look inside, wherever the primary is. Its commands wait. */
    readonly inspector: Redis,
    private readonly folder: string,
    private readonly sentinelPassword: string | undefined,
  ) {}

  /** Resolves when every Sentinel knows the replica and the other Sentinels. */
  static async start(options: RedisSentinelOptions = {}): Promise<RedisSentinelServers> {
    const { password, sentinelPassword } = options;
    const folder = await mkdtemp(join(tmpdir(), 'pogo-sentinel-'));
    const quick = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
    if (password !== undefined) quick.push('--requirepass', password, '--masterauth', password);
    const primary = await RedisServer.start({ args: quick });
    const replica = await RedisServer.start({ args: [...quick, '--replicaof', '127.0.0.1', String(primary.port)] });
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, (_, index) =>
        startSentinel(join(folder, `sentinel-${index}.conf`), primary.port, options),
      ),
    );
    await Promise.all(sentinels.map(({ port }) => isAcquainted(port, sentinelPassword)));
    const inspector = new Redis({
      sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      name: NAME,
      maxRetriesPerRequest: null,
      sentinelRetryStrategy: () => 100,
      retryStrategy: () => 100,
      ...(password === undefined ? {} : { password }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    });
    inspector.on('error', () => undefined);
    return new RedisSentinelServers([primary, replica], sentinels, inspector, folder, sentinelPassword);
  }

  get places(): { host: string; port: number }[] {
    return this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  get settings(): Readonly<Record<string, string>> {
    const sentinels = this.places.map(({ host, port }) => `${host}:${port}`);
    return { redis_sentinels: sentinels.join(), redis_sentinel_name: NAME };
  }

  /** As the Sentinels see it. */
  async primary(): Promise<RedisServer> {
    const port = await ask(this.sentinels[0]?.port ?? 0, this.sentinelPassword, async (redis) =>
      Number(((await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[])[1]),
    );
    return this.servers.find((server) => server.port === port) as RedisServer;
  }

  /** Resolves when another server than `former` is the primary and takes writes. */
  async replaced(former: RedisServer): Promise<RedisServer> {
    for (;;) {
      const primary = await this.primary();
      if (primary !== former && (await primary.inspector.info('replication')).includes('role:master')) return primary;
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    this.inspector.disconnect();
    for (const { running } of this.sentinels) {
      running.kill('SIGKILL');
      await running.ending;
    }
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function startSentinel(
  path: string,
  primaryPort: number,
  { password, sentinelPassword }: RedisSentinelOptions,
): Promise<{ port: number; running: Running }> {
  const port = await freePort();
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
    ...(sentinelPassword === undefined
      ? []
      : [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]),
  ];
  // It writes what it finds out into its own configuration.
  await writeFile(path, `${lines.join('\n')}\n`);
  const running = new Running(...mortal(binary(), [path, '--sentinel']), { cwd: tmpdir() });
  await running.printed(/\+monitor master/);
  return { port, running };
}

async function isAcquainted(port: number, password: string | undefined): Promise<void> {
  await ask(port, password, async (redis) => {
    for (;;) {
      const info = await redis.info('sentinel');
      if (info.includes(`status=ok`) && info.includes('slaves=1') && info.includes(`sentinels=${SENTINELS}`)) return;
      await sleep(50);
    }
  });
}

async function ask<T>(port: number, password: string | undefined, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  });
  redis.on('error', () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
