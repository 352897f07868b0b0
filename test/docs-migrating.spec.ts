import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@pogo/gateway';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { isSetting, namesIn, tables } from './support/documentation.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Every directive that the Go module has, or had and refuses by name. */
const DIRECTIVES = [
  ...['app_id', 'app_key', 'app_secret', 'auth_path', 'auth_script', 'num_workers', 'max_connections'],
  ...['max_auth_body', 'max_concurrent_auth', 'num_shards', 'handshake_rate', 'handshake_burst'],
  ...['outbound_queue_size', 'broker_queue_size', 'shard_queue_size', 'write_burst_size'],
  ...['fanout_backpressure_threshold', 'fanout_backpressure_max_wait', 'fanout_mode', 'fanout_round_size'],
  ...['fanout_round_yield', 'enable_compression', 'allowed_origins', 'client_msg_rate_limit'],
  ...['client_msg_rate_burst', 'ping_period', 'write_wait', 'pong_wait', 'shutdown_timeout', 'webhook_url'],
  ...['webhook_secret', 'redis_host', 'redis_password', 'redis_db', 'redis_tls'],
];

/** Names of other servers, and of PHP's, that look like settings. */
const OTHER_NAMES = new Set([
  ...['auth_script', 'fanout_backpressure_threshold', 'fanout_backpressure_max_wait', 'fanout_mode'],
  ...['fanout_round_size', 'fanout_round_yield', 'pogo_websocket', 'pogo_websocket_publish'],
  ...['pogo_websocket_broadcast_multi', 'channel_vacated', 'member_removed', 'event_types'],
  ...['pulse_ingest_interval', 'telescope_ingest_interval', 'max_message_size', 'ping_interval'],
]);

const directives = () => {
  const [table] = tables(read('docs/migrating-from-pogo.md')).filter(([head]) => head?.[0] === 'Caddyfile');
  return (table ?? []).slice(1);
};

/** Code blocks of a page in that language. */
const blocks = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^ *\`\`\`${language}\n(.*?)^ *\`\`\`$`, 'gms'))].map(([, code = '']) => code);

describe('docs/migrating-from-pogo.md', () => {
  it.each(DIRECTIVES)('says what becomes of %s', (directive) => {
    const rows = directives().filter(([name]) => name === `\`${directive}\``);
    expect(rows).toHaveLength(1);
    const [, setting = '', difference = ''] = rows[0] ?? [];
    if (setting === '–') {
      // What has no meaning here is refused with a sentence.
      expect(difference.length).toBeGreaterThan(5);
      expect(() => loadConfig({ [`POGO_WS_${directive.toUpperCase()}`]: '1' })).toThrow(ConfigError);
    } else {
      expect(isSetting(setting.replaceAll('`', ''))).toBe(true);
    }
  });

  it('has no directive that the Go module does not know', () => {
    const names = directives().map(([name = '']) => name.replaceAll('`', ''));
    expect(names.filter((name) => !DIRECTIVES.includes(name))).toEqual([]);
  });
});

describe('docs/migrating.md', () => {
  it('says something of every name of soketi, and names each once', () => {
    const [table = []] = tables(read('docs/migrating.md')).filter(([head]) => head?.[0] === 'soketi');
    const rows = table.slice(1);
    const names = rows.flatMap(([cell = '']) => {
      // A variable whose values part ways is in several rows.
      return cell.includes('` `') ? [] : [...cell.matchAll(/`(SOKETI_[A-Z_]+)`/g)].map(([, name]) => name);
    });
    expect(names.length).toBeGreaterThan(40);
    expect(names).toEqual([...new Set(names)]);
    expect(rows.filter(([, here = '']) => !/^none\b|`[a-z_]+:?`|\]\(/.test(here))).toEqual([]);
  });
});

describe.each(['docs/migrating.md', 'docs/migrating-from-pogo.md'])('%s', (page) => {
  it('names no setting that does not exist', () => {
    const names = namesIn(read(page));
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !isSetting(name) && !OTHER_NAMES.has(name))).toEqual([]);
  });

  it('shows configurations that the server takes', () => {
    const environments = blocks(page, 'sh').map((block) =>
      Object.fromEntries(
        [...block.matchAll(/^ *(POGO_WS_\w+)=(\S+)/gm)].map(([, name = '', value = '']) => [name, value]),
      ),
    );
    const folder = mkdtempSync(join(tmpdir(), 'pogo-docs-'));
    const files = blocks(page, 'yaml').map((block, i) => {
      const path = join(folder, `${i}.yaml`);
      writeFileSync(path, block);
      return { POGO_WS_CONFIG: path };
    });
    const all = [...environments.filter((environment) => Object.keys(environment).length > 0), ...files];
    expect(all.length).toBeGreaterThan(0);
    for (const environment of all) expect(() => loadConfig({ NODE_ENV: 'production', ...environment })).not.toThrow();
    rmSync(folder, { recursive: true });
  });
});
