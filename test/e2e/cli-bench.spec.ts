import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { buildOnce } from '../support/build.js';
import { BIN, pogo } from '../support/cli.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { APP, TestGateway } from '../support/gateway.js';
import { Running } from '../support/process.js';

const env = { POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret, POGO_WS_APP_ID: APP.id };

describe('pogo bench', () => {
  it('waits where the server lets only so many in at once: its own defaults are such', async () => {
    const gateway = await TestGateway.start({ settings: { handshake_rate: '10', handshake_burst: '5' } });
    try {
      const { code, out, err } = await pogo(
        ['bench', `http://127.0.0.1:${gateway.port}`, '--connections=10', '--rate=1', '--seconds=2', '--json'],
        env,
      );
      expect(err).not.toContain('could not connect');
      expect([code, JSON.parse(out)]).toMatchObject([0, { connected: 10, delivered: 20 }]);
      // By the clock, and not once for each time that something is looked at.
      expect(err.match(/published \d of 2/g)?.length).toBeLessThanOrEqual(4);
    } finally {
      await gateway.stop();
    }
  });

  it('ends when a client is refused, with whoever was on the way then', { timeout: START_TIMEOUT_MS }, async () => {
    await buildOnce();
    const gateway = await TestGateway.start({ settings: { max_connections: '60' } });
    const bench = new Running(
      process.execPath,
      [BIN, 'bench', `http://127.0.0.1:${gateway.port}`, '--connections=20000', '--timeout=2'],
      { cwd: tmpdir(), env },
    );
    try {
      expect(await bench.ending).toEqual({ code: 1, signal: null });
      expect(bench.output).toContain('could not connect');
    } finally {
      bench.cleanUp();
      await gateway.stop();
    }
  });
});
