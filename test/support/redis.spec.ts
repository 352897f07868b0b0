import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisServer, type RedisServerOptions } from './redis.js';
import { testPair } from './tls/certificates.js';

const servers: RedisServer[] = [];

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('RedisServer', () => {
  it('is back on its port after a crash, empty, and its inspector with it', async () => {
    const server = await start();
    await server.inspector.set('a', '1');
    await server.kill();
    const late = server.inspector.get('a');
    await server.restart();
    expect(await late).toBeNull();
    await server.restart();
    expect(await server.inspector.config('GET', 'port')).toEqual(['port', String(server.port)]);
  });

  it('answers nothing while it is frozen', async () => {
    const server = await start();
    server.freeze();
    const answers: string[] = [];
    const answer = server.inspector.ping().then((text) => answers.push(text));
    // Another server's answer takes as long as this one's would.
    const other = await start();
    await other.inspector.ping();
    expect(answers).toEqual([]);
    server.thaw();
    await answer;
    expect(answers).toEqual(['PONG']);
  });

  it('takes arguments, and its URL has the password that they set', async () => {
    const server = await start({ args: ['--requirepass', 'p@ss/word', '--databases', '3'] });
    const client = new Redis(server.url);
    expect(await client.config('GET', 'databases')).toEqual(['databases', '3']);
    client.disconnect();
    expect(server.url).toContain(encodeURIComponent('p@ss/word'));
  });

  it('serves TLS', async () => {
    const pair = testPair('first');
    const server = await start({ tls: pair, inspectorOptions: { db: 2 } });
    expect(await server.inspector.client('INFO')).toContain(' db=2 ');
    const client = new Redis(server.url, { tls: { ca: pair.cert } });
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('leaves no folder behind, also when it was frozen', async () => {
    const server = await start();
    const [, folder = ''] = await server.inspector.config('GET', 'dir');
    expect(existsSync(folder)).toBe(true);
    server.freeze();
    await server.stop();
    expect(existsSync(folder)).toBe(false);
  });

  it('says why it does not start', async () => {
    await expect(start({ args: ['--no-such-option', '1'] })).rejects.toThrow(/no-such-option/);
  });
});
