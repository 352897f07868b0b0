import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AppsTable } from '../src/apps/apps.table.js';
import { settingsOf } from '../src/settings.js';
import { ADMIN_TOKEN, Application, logged, type Keys } from './support/application.js';

const SECRET = 'never-to-be-printed';

let application: Application;
let count = 0;

before(async () => {
  application = await Application.start();
});
after(() => application.stop());

/** Keys that no app has. */
function newKeys(): Keys {
  const id = `app-${++count}`;
  return { id, key: `key-of-${id}`, secret: `${SECRET}-${id}` };
}

/** Adds an app through the administration. */
async function add(settings: object = {}): Promise<Keys> {
  const { id, ...keys } = newKeys();
  assert.equal((await application.admin('PUT', `/${id}`, { ...keys, ...settings })).status, 204);
  return { id, ...keys };
}

describe('an app', () => {
  it('that is added while the server runs is served at once, also when it was asked for in vain before', async () => {
    const keys = newKeys();
    assert.equal(await application.dial(keys.key).closed, 4001);
    assert.equal(await application.publish(keys, 'news', 'headline'), 404);
    await application.admin('PUT', `/${keys.id}`, { key: keys.key, secret: keys.secret });
    const client = await application.dial(keys.key).established();
    await client.subscribe('news');
    assert.equal(await application.publish(keys, 'news', 'headline'), 200);
    await client.receive('headline');
  });

  it('that is disabled loses its clients with 4003, and has them again when it is enabled', async () => {
    const { id, key } = await add();
    const client = await application.dial(key).established();
    assert.equal((await application.admin('POST', `/${id}/disable`)).status, 204);
    assert.equal(await client.closed, 4003);
    assert.equal(await application.dial(key).closed, 4003);
    assert.equal((await application.admin('POST', `/${id}/enable`)).status, 204);
    await application.dial(key).established();
  });

  it('that is removed loses its clients with 4001', async () => {
    const { id, key } = await add();
    const client = await application.dial(key).established();
    assert.equal((await application.admin('DELETE', `/${id}`)).status, 204);
    assert.equal(await client.closed, 4001);
    assert.equal(await application.dial(key).closed, 4001);
  });

  it('leaves the clients of others alone', async () => {
    const [one, other] = [await add(), await add()];
    const client = await application.dial(other.key).established();
    await application.admin('DELETE', `/${one.id}`);
    await client.subscribe('news');
  });

  it('that gets another secret keeps its clients, and is published to with the new one alone', async () => {
    const { id, key, secret } = await add();
    const client = await application.dial(key).established();
    await client.subscribe('news');
    const next = `${SECRET}-next`;
    assert.equal((await application.admin('PUT', `/${id}`, { key, secret: next })).status, 204);
    assert.equal(await application.publish({ id, key, secret }, 'news', 'forged'), 401);
    assert.equal(await application.publish({ id, key, secret: next }, 'news', 'headline'), 200);
    await client.receive('headline');
  });

  it('has the settings of its row', async () => {
    const { key } = await add({ maxConnections: 1 });
    await application.dial(key).established();
    assert.equal(await application.dial(key).closed, 4004);
  });
});

describe('an app that is changed behind the gateway’s back', () => {
  it('is what it was while it is remembered', async () => {
    const { id, key } = await add();
    await application.dial(key).established();
    changeElsewhere((table) => table.setEnabled(id, false));
    await application.dial(key).established();
  });

  it('is what it is now when that time is over', async () => {
    const hasty = await Application.start(1);
    try {
      const keys = newKeys();
      await hasty.admin('PUT', `/${keys.id}`, { key: keys.key, secret: keys.secret });
      const client = await hasty.dial(keys.key).established();
      changeElsewhere((table) => table.setEnabled(keys.id, false), hasty);
      // The look-up for a newcomer finds out, and then those who are there are told as well.
      while ((await outcome(hasty, keys.key)) !== 4003);
      assert.equal(await client.closed, 4003);
    } finally {
      await hasty.stop();
    }
  });
});

describe('the administration', () => {
  const app = { key: 'k', secret: SECRET };

  it('is for who has the token', async () => {
    for (const token of ['', 'wrong', `${ADMIN_TOKEN}x`]) {
      assert.equal((await application.admin('GET', '', undefined, token)).status, 401);
      assert.equal((await application.admin('PUT', '/x', app, token)).status, 401);
    }
  });

  it('shows no secret', async () => {
    const { id, key } = await add({ enabled: false });
    const { text } = await application.admin('GET');
    const listed = (JSON.parse(text) as { id: string }[]).find((each) => each.id === id);
    assert.deepEqual(listed, { id, key, enabled: false });
  });

  const wrong: readonly (readonly [title: string, path: string, body: unknown, status: number])[] = [
    ['without a secret', '/x', { key: 'k' }, 400],
    ['with an empty key', '/x', { key: '', secret: SECRET }, 400],
    ['with a limit that is none', '/x', { ...app, maxConnections: -1 }, 400],
    ['with an origin that is none', '/x', { ...app, allowedOrigins: ['ftp://x'] }, 400],
    ['with a field that there is not', '/x', { ...app, [SECRET]: 1 }, 400],
    ['with an id that is none', '/no%20id', app, 400],
    ['that is no object', '/x', [], 400],
  ];
  for (const [title, path, body, status] of wrong) {
    it(`refuses an app ${title}, and quotes no secret`, async () => {
      const answer = await application.admin('PUT', path, body);
      assert.equal(answer.status, status);
      assert.ok(!answer.text.includes(SECRET), answer.text);
    });
  }

  it('refuses a key that another app has', async () => {
    const { key } = await add();
    assert.equal((await application.admin('PUT', '/another', { key, secret: SECRET })).status, 409);
  });

  it('knows when there is no such app', async () => {
    assert.equal((await application.admin('DELETE', '/nobody')).status, 404);
    assert.equal((await application.admin('POST', '/nobody/disable')).status, 404);
    assert.equal((await application.admin('POST', '/nobody/enable')).status, 404);
  });
});

describe('secrets', () => {
  it('are never logged, not even for a row that makes a look-up fail', async () => {
    const { key } = await add();
    changeElsewhere((table) => table.save({ ...rowIn(table, key), id: 'no/id', key: 'bad', secret: `${SECRET}-bad` }));
    await application.dial('bad').closed;
    assert.ok(logged.some((line) => line.includes('could not be looked up')));
    assert.deepEqual(
      logged.filter((line) => line.includes(SECRET) || line.includes(ADMIN_TOKEN)),
      [],
    );
  });

  it('are not quoted when the settings are wrong', () => {
    for (const wrong of [{ ADMIN_TOKEN: SECRET }, { ADMIN_TOKEN, APPS_TTL_MS: 'soon' }, {}]) {
      assert.throws(
        () => settingsOf(wrong),
        (error: Error) => !error.message.includes(SECRET),
      );
    }
    assert.deepEqual(settingsOf({ ADMIN_TOKEN }), {
      databasePath: 'apps.db',
      appsTtlMs: 10_000,
      adminToken: ADMIN_TOKEN,
    });
  });
});

/** Writes to the database as another process does. */
function changeElsewhere(change: (table: AppsTable) => void, { databasePath } = application): void {
  const table = new AppsTable(databasePath);
  try {
    change(table);
  } finally {
    table.close();
  }
}

function rowIn(table: AppsTable, key: string) {
  const row = table.findByKey(key);
  assert.ok(row !== undefined);
  return row;
}

/** What becomes of a client that dials: the code that it is closed with, or 0. */
async function outcome(server: Application, key: string): Promise<number> {
  const client = server.dial(key);
  return Promise.race([client.closed, client.established().then(() => 0)]);
}
