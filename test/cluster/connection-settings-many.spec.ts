import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildOnce } from '../support/build.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { expectOneCluster, startGateway } from '../support/one-cluster.js';
import { RedisClusterServers, type RedisClusterOptions } from '../support/redis-cluster.js';
import { RedisSentinelServers } from '../support/redis-sentinel.js';
import { testPair } from '../support/tls/certificates.js';

const PASSWORD = 'p@ss/w:rd?%';
const TIMEOUT_MS = START_TIMEOUT_MS;

beforeAll(() => buildOnce(), START_TIMEOUT_MS);

async function startCluster(options: RedisClusterOptions = {}): Promise<RedisClusterServers> {
  const servers = await RedisClusterServers.start({ replicasEach: 0, ...options });
  onTestFinished(() => servers.stop());
  return servers;
}

const WITH_PASSWORD = { server: { args: ['--requirepass', PASSWORD, '--masterauth', PASSWORD] } };
/** Four in the bucket of each master, to be sure that all of them are asked. */
const CHANNELS = Array.from({ length: 12 }, (_, n) => `cache-${n}`);

describe('a Redis Cluster', () => {
  it('connects nodes that know its password, which is in no log', { timeout: TIMEOUT_MS }, async () => {
    const servers = await startCluster(WITH_PASSWORD);
    const settings = { ...servers.settings, redis_password: PASSWORD };
    const [a, b] = await Promise.all([startGateway(settings), startGateway(settings)]);
    await expectOneCluster(a, b);
    for (const { output } of [a, b]) expect(output).not.toContain(PASSWORD);
  });

  it('lets nodes wait that have a wrong one, and say why, without it', { timeout: TIMEOUT_MS }, async () => {
    const servers = await startCluster(WITH_PASSWORD);
    const settings = { ...servers.settings, redis_password: 'wrong-word' };
    const node = await startGateway(settings, { awaitReady: false });
    await node.printed(/WRONGPASS/);
    expect(await node.readiness()).toEqual({ status: 503, body: { status: 'broker_unavailable' } });
    expect(await node.http.publish('news', 'posted', 'x')).toMatchObject({ status: 500, body: { status: 6 } });
    expect(node.output).not.toContain('wrong-word');
  });

  it('lets in a user who may touch nothing but what begins with the prefix', { timeout: TIMEOUT_MS }, async () => {
    const servers = await startCluster(WITH_PASSWORD);
    const rights = [
      '~{mine* &{mine* -@all +@scripting +@read +@write +time +publish +subscribe +unsubscribe +@connection',
      '+info +config|get +spublish +ssubscribe +sunsubscribe +cluster|slots',
    ];
    for (const { inspector } of servers.servers) {
      await inspector.call('ACL', 'SETUSER', 'gateway', 'on', '>users-word', ...rights.join(' ').split(' '));
    }
    const user = { redis_username: 'gateway', redis_password: 'users-word', redis_prefix: 'mine' };
    const settings = { ...servers.settings, ...user };
    const [a, b] = await Promise.all([startGateway(settings), startGateway(settings)]);
    await expectOneCluster(a, b);
    for (const channel of CHANNELS) {
      await a.http.publish(channel, 'posted', channel);
      expect((await b.http.get(`/channels/${channel}`, { info: 'cache' })).body).toMatchObject({
        cache: { data: channel },
      });
    }
    expect(a.output + b.output).not.toContain('NOPERM');
  });

  it('is named to who takes one of its servers for all there is', { timeout: TIMEOUT_MS }, async () => {
    const { servers } = await startCluster();
    const [server] = servers;
    // The list of the living is elsewhere.
    const node = await startGateway({ redis_url: server?.url ?? '' }, { awaitReady: false });
    await node.printed(/MOVED .* which redis_cluster_nodes is for/);
    const other = await startGateway({ redis_cluster_nodes: '127.0.0.1:1' }, { awaitReady: false });
    await other.printed(/Redis Cluster: connect ECONNREFUSED/);
  });

  it('connects nodes by TLS that trust its certificate', { timeout: TIMEOUT_MS }, async () => {
    const pair = testPair('first');
    const servers = await startCluster({ server: { tls: pair } });
    const settings = { ...servers.settings, redis_tls: 'on' };
    const env = { NODE_EXTRA_CA_CERTS: pair.certPath };
    const [a, b] = await Promise.all([startGateway(settings, { env }), startGateway(settings, { env })]);
    await expectOneCluster(a, b);
    for (const { output } of [a, b]) expect(output).not.toMatch(/warn/i);
  });
});

describe('Sentinels', () => {
  it('lead nodes to Redis that know both passwords, which are in no log', { timeout: TIMEOUT_MS }, async () => {
    const sentinelPassword = 'sentinels-word';
    const servers = await RedisSentinelServers.start({ password: PASSWORD, sentinelPassword });
    onTestFinished(() => servers.stop());
    const passwords = { redis_password: PASSWORD, redis_sentinel_password: sentinelPassword };
    const settings = { ...servers.settings, ...passwords, redis_db: '3' };
    const [a, b] = await Promise.all([startGateway(settings), startGateway(settings)]);
    await expectOneCluster(a, b);
    for (const { output } of [a, b]) {
      expect(output).not.toContain(PASSWORD);
      expect(output).not.toContain(sentinelPassword);
    }
    const unknowing = await startGateway({ ...settings, redis_sentinel_password: 'wrong-word' }, { awaitReady: false });
    await unknowing.printed(/WRONGPASS/);
    expect(unknowing.output).not.toContain('wrong-word');
  });
});
