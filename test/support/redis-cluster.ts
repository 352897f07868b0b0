import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, RedisServer, type RedisServerOptions } from './redis.js';

const SLOTS = 16_384;

export interface RedisClusterOptions {
  readonly masters?: number;
  readonly replicasEach?: number;
  /** After that a silent server counts as failed; the others need about as long again to replace it. A second by default. */
  readonly nodeTimeoutMs?: number;
  /** More of each server's arguments, and its certificate. */
  readonly server?: RedisServerOptions;
}

/** A real Redis Cluster of its own on 127.0.0.1, without persistence. */
export class RedisClusterServers {
  private constructor(
    /** Masters first, as it began; then their replicas, in the same order. */
    readonly servers: readonly RedisServer[],
    private readonly folder: string,
  ) {}

  /** Resolves when every slot is served, and every master has its replicas. */
  static async start({
    masters = 3,
    replicasEach = 1,
    nodeTimeoutMs = 1_000,
    server = {},
  }: RedisClusterOptions = {}): Promise<RedisClusterServers> {
    const folder = await mkdtemp(join(tmpdir(), 'pogo-cluster-'));
    const count = masters * (1 + replicasEach);
    const servers = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const own = [
          '--cluster-config-file',
          join(folder, `nodes-${index}.conf`),
          '--cluster-port',
          String(await freePort()),
        ];
        const common = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)];
        const quick = [
          '--cluster-replica-validity-factor',
          '0',
          '--repl-diskless-sync-delay',
          '0',
          '--repl-ping-replica-period',
          '1',
        ];
        const tls = server.tls === undefined ? [] : ['--tls-cluster', 'yes', '--tls-replication', 'yes'];
        return RedisServer.start({ ...server, args: [...common, ...own, ...quick, ...tls, ...(server.args ?? [])] });
      }),
    );
    await form(servers, masters);
    return new RedisClusterServers(servers, folder);
  }

  /** Two of them are enough to find all. */
  get settings(): Readonly<Record<string, string>> {
    const nodes = this.servers.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
    return { redis_cluster_nodes: nodes.join() };
  }

  /** Servers that are masters now, as one that lives sees it. */
  async masters(): Promise<RedisServer[]> {
    for (;;) {
      for (const { isRunning, inspector } of this.servers) {
        if (!isRunning) continue;
        const ports = (await inspector.cluster('SLOTS').catch(() => [])).map((range) => range[2]?.[1]);
        if (ports.length > 0) return this.servers.filter(({ port }) => ports.includes(port));
      }
      await sleep(50);
    }
  }

  /** Who has the slot of `key` now. */
  async masterOf(key: string): Promise<RedisServer> {
    const [first] = this.servers.filter(({ isRunning }) => isRunning) as [RedisServer];
    const slot = await first.inspector.cluster('KEYSLOT', key);
    for (const master of await this.masters()) {
      for (const [from, to, owner] of await master.inspector.cluster('SLOTS')) {
        if (slot >= from && slot <= to) return this.servers.find(({ port }) => port === owner?.[1]) as RedisServer;
      }
    }
    throw new Error(`nobody has the slot of ${key}`);
  }

  /** Makes its replica the master, without losing anything, and resolves when all others know. */
  async handOver(master: RedisServer): Promise<void> {
    const id = await master.inspector.cluster('MYID');
    for (const { inspector, isRunning } of this.servers) {
      const nodes = isRunning ? String(await inspector.call('CLUSTER', 'NODES')).split('\n') : [];
      const isReplica = nodes.some((line) => line.includes('myself') && line.includes(` ${id} `));
      if (isReplica) await inspector.call('CLUSTER', 'FAILOVER');
    }
    await this.replaced(master);
  }

  /**
   * Moves the slot of `key` to another master, key by key, as `redis-cli --cluster reshard` does.
   * @param midway called when half of the keys are there.
   */
  async moveSlot(key: string, midway: () => Promise<void>): Promise<void> {
    const from = await this.masterOf(key);
    const masters = await this.masters();
    const to = masters.find((master) => master !== from) as RedisServer;
    const slot = await from.inspector.cluster('KEYSLOT', key);
    const [fromId, toId] = await Promise.all([from, to].map(({ inspector }) => inspector.cluster('MYID')));
    await to.inspector.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string);
    await from.inspector.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string);
    const move = async (count: number) => {
      const keys = (await from.inspector.call('CLUSTER', 'GETKEYSINSLOT', slot, count)) as string[];
      if (keys.length > 0) await from.inspector.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      return keys.length;
    };
    const total = await from.inspector.cluster('COUNTKEYSINSLOT', slot);
    await move(Math.ceil(total / 2));
    await midway();
    while ((await move(100)) > 0);
    // Its new owner first: until then it would turn away what the former one sends there.
    for (const { inspector } of [to, from, ...masters]) {
      await inspector.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId as string);
    }
  }

  /** Resolves when `former` is no master any more, as all others see it, and its slots are served. */
  async replaced(former: RedisServer): Promise<void> {
    for (const { isRunning, inspector, port } of this.servers) {
      if (port === former.port || !isRunning) continue;
      await until(async () => {
        const ranges = await inspector.cluster('SLOTS');
        return ranges.every((range) => range[2]?.[1] !== former.port) && (await isWell(inspector));
      });
    }
  }

  /** Resolves when every slot is served, as all that live see it. */
  async healed(): Promise<void> {
    for (const { isRunning, inspector } of this.servers) {
      while (isRunning && !(await isWell(inspector))) await sleep(50);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function form(servers: readonly RedisServer[], masters: number): Promise<void> {
  const ids = await Promise.all(servers.map(({ inspector }) => inspector.cluster('MYID')));
  const [first, ...others] = servers as [RedisServer, ...RedisServer[]];
  const share = Math.ceil(SLOTS / masters);
  await Promise.all(
    servers.slice(0, masters).map(({ inspector }, index) => {
      const last = Math.min(SLOTS, share * (index + 1)) - 1;
      return inspector.call('CLUSTER', 'ADDSLOTSRANGE', share * index, last);
    }),
  );
  await Promise.all(servers.map(({ inspector }, index) => inspector.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
  await until(async () => {
    const known = await Promise.all(servers.map(({ inspector }) => inspector.cluster('INFO')));
    if (known.every((text) => text.includes(`cluster_known_nodes:${servers.length}`))) return true;
    // Again and again: one that does not answer within the node timeout is forgotten.
    for (const { port, busPort } of others) await first.inspector.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
    await sleep(200);
    return false;
  });
  for (const [index, { inspector }] of servers.entries()) {
    if (index >= masters) {
      const master = ids[index % masters] as string;
      await until(() =>
        inspector.cluster('REPLICATE', master).then(
          () => true,
          () => false,
        ),
      );
    }
  }
  await until(async () => (await Promise.all(servers.map(({ inspector }) => isWell(inspector)))).every(Boolean));
  await until(async () => {
    const infos = await Promise.all(servers.slice(masters).map(({ inspector }) => inspector.info('replication')));
    return infos.every((text) => text.includes('master_link_status:up'));
  });
}

async function isWell(inspector: RedisServer['inspector']): Promise<boolean> {
  const info = await inspector.cluster('INFO');
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20);
}
