import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import sqlite from 'node-sqlite3-wasm';
import { AppDefaults } from 'pogo-gateway/hub';
import { DEFAULT_LIMITS } from 'pogo-gateway/protocol';
import { AppsTable, KeyTaken } from '../src/apps/apps.table.js';
import { migrate } from '../src/apps/migrate.js';
import { SqlAppProvider } from '../src/apps/sql-app.provider.js';
import { APP, temporaryFolder } from './support/table.js';

let folder: ReturnType<typeof temporaryFolder>;
let table: AppsTable | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  table?.close();
  table = undefined;
  folder.remove();
});

const path = () => join(folder.path, 'apps.db');

function open(defaults = new AppDefaults()): SqlAppProvider {
  table = new AppsTable(path());
  return new SqlAppProvider(table, defaults, 0);
}

describe('an app of the table', () => {
  it('has the server’s settings where its row says nothing', async () => {
    const provider = open(
      new AppDefaults({ clientEvents: false, maxConnections: 7, limits: { ...DEFAULT_LIMITS, maxEventBytes: 100 } }),
    );
    provider.save(APP);
    const app = await provider.findByKey(APP.key);
    assert.deepEqual([app?.clientEvents, app?.maxConnections, app?.limits.maxEventBytes], [false, 7, 100]);
    assert.equal(app?.allowedOrigins.allows('https://anywhere.example'), true);
  });

  it('has its own settings where its row says something, zero and no included', async () => {
    const provider = open(new AppDefaults({ clientEvents: true, maxConnections: 7 }));
    const own = { client_events: 0, max_connections: 0, max_event_bytes: 5, allowed_origins: 'a.example,*.b.example' };
    provider.save({ ...APP, ...own } as typeof APP);
    const app = await provider.findById(APP.id);
    assert.deepEqual([app?.clientEvents, app?.maxConnections, app?.limits.maxEventBytes], [false, 0, 5]);
    assert.equal(app?.allowedOrigins.allows('https://x.b.example'), true);
    assert.equal(app?.allowedOrigins.allows('https://c.example'), false);
  });

  it('is what was asked for, whatever SQL that may look like', async () => {
    const provider = open();
    provider.save(APP);
    for (const text of ["' OR '1'='1", `${APP.key}' --`, '%', APP.key.toUpperCase()]) {
      assert.equal(await provider.findByKey(text), undefined);
    }
  });
});

describe('a row that is no app', () => {
  it('is not saved', async () => {
    const provider = open();
    for (const row of [
      { ...APP, id: 'no/id' },
      { ...APP, secret: '' },
      { ...APP, allowed_origins: 'ftp://x' },
    ]) {
      assert.throws(() => provider.save(row), TypeError);
    }
    assert.deepEqual(table?.list(), []);
  });

  it('is not saved when another app has its key', () => {
    const provider = open();
    provider.save(APP);
    assert.throws(() => provider.save({ ...APP, id: 'other' }), KeyTaken);
    provider.save({ ...APP, secret: 'another' });
  });

  it('rejects the look-up, and does not throw in it, when somebody has put it there', async () => {
    const provider = open();
    table?.save({ ...APP, secret: '' });
    await assert.rejects(provider.findById(APP.id), TypeError);
  });
});

describe('migrations', () => {
  it('bring a database of the first version up to date, and keep what is in it', async () => {
    const old = new sqlite.Database(path());
    migrate(old, 1);
    old.run('INSERT INTO apps (id, key, secret) VALUES (?, ?, ?)', [APP.id, APP.key, APP.secret]);
    assert.throws(() => old.run('SELECT client_events FROM apps'));
    old.close();
    assert.equal((await open().findByKey(APP.key))?.id, APP.id);
    assert.deepEqual(table?.list(), [APP]);
  });

  it('run once', () => {
    open().save(APP);
    table?.close();
    open();
    assert.deepEqual(table?.list(), [APP]);
  });
});
