import assert from 'node:assert/strict';
import { askAgain } from '../ask-again.js';
import { completeApp, type App } from '../app/app.js';
import type { AppChange, AppProvider } from '../app/app-provider.js';
import { eachWith, eventually, type Harness, type TestApi } from './test-api.js';

type Credentials = Pick<App, 'id' | 'key' | 'secret'>;

export interface AppProviderHarness extends Harness {
  readonly provider: AppProvider;
  /** An app that the provider knows, and that is enabled. */
  readonly known: Credentials;
  /** The provider calls its listener when its apps change. Without it changes only have to become visible. */
  readonly tellsChanges?: boolean;
  /** How the provider's apps can change; what it has none of is not asked for. */
  add?(app: Credentials): Promise<void> | void;
  /** Gives the known app another key. */
  changeKey?(key: string): Promise<void> | void;
  disable?(): Promise<void> | void;
  /** Takes the known app away. */
  remove?(): Promise<void> | void;
}

const ADDED = { id: 'added', key: 'added-key', secret: 'added-secret' };
/** What anybody may put into a URL. */
const HOSTILE_NAMES = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  '%',
  '*',
  "' OR ''='",
  'app\0',
  'ключ 🔑',
  '\ud800',
  'x'.repeat(10_240),
];

/**
 * What every {@link AppProvider} must do. A look-up that rejects with an UnavailableError is repeated: a database may be
 * away, and nobody has lost anything by it.
 */
export function appProviderContract(
  api: TestApi,
  name: string,
  create: () => Promise<AppProviderHarness> | AppProviderHarness,
): void {
  api.describe(`AppProvider contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('finds an app by its id and by its key, and it is the same', async ({ provider, known }) => {
      const [byId, byKey] = [
        await found('findById', provider, known.id),
        await found('findByKey', provider, known.key),
      ];
      assert.ok(byId !== undefined && byKey !== undefined);
      assert.deepEqual([byId.id, byId.key, byId.secret], [known.id, known.key, known.secret]);
      assert.deepEqual({ ...byKey, allowedOrigins: undefined }, { ...byId, allowedOrigins: undefined });
    });

    test('answers complete apps: every setting is there and of the right type', async ({ provider, known }) => {
      const app = await found('findById', provider, known.id);
      assert.ok(app?.enabled);
      // Throws at a setting of the wrong type, and adds one that is missing.
      assert.deepEqual(Object.keys(completeApp(app)).sort(), Object.keys(app).sort());
    });

    test('answers undefined for what it does not know, whatever it is called', async ({ provider, known }) => {
      for (const each of [...HOSTILE_NAMES, known.secret, `${known.id} `, `${known.key}\n`]) {
        assert.equal(await found('findById', provider, each), undefined, each.slice(0, 32));
        assert.equal(await found('findByKey', provider, each), undefined, each.slice(0, 32));
      }
    });

    test('takes no id for a key and no key for an id', async ({ provider, known }) => {
      if (known.id === known.key) return;
      assert.equal(await found('findById', provider, known.key), undefined);
      assert.equal(await found('findByKey', provider, known.id), undefined);
    });

    test('answers everybody who asks at once', async ({ provider, known }) => {
      const apps = await Promise.all(Array.from({ length: 50 }, () => found('findByKey', provider, known.key)));
      assert.deepEqual([...new Set(apps.map((app) => app?.id))], [known.id]);
    });

    test('says how long its answers may be kept, and takes a listener', async ({ provider, known }) => {
      assert.ok(Number.isFinite(provider.cacheTtlMs) && provider.cacheTtlMs >= 0);
      assert.equal(
        provider.onChange(() => undefined),
        undefined,
      );
      assert.equal((await found('findById', provider, known.id))?.id, known.id);
    });

    test('finds an app that is added, also when it was asked for before', async ({ provider, add, known }) => {
      if (add === undefined) return;
      assert.equal(await found('findByKey', provider, ADDED.key), undefined);
      await add(ADDED);
      await eventually(async () => (await found('findByKey', provider, ADDED.key))?.id === ADDED.id);
      assert.equal((await found('findById', provider, ADDED.id))?.secret, ADDED.secret);
      assert.equal((await found('findById', provider, known.id))?.id, known.id);
    });

    test('finds an app by its new key only', async (harness) => {
      const { provider, known, changeKey } = harness;
      if (changeKey === undefined) return;
      const changes = await changesOf(harness, () => changeKey('another-key'));
      await eventually(async () => (await found('findByKey', provider, 'another-key'))?.id === known.id);
      await eventually(async () => (await found('findByKey', provider, known.key)) === undefined);
      await eventually(async () => (await found('findById', provider, known.id))?.key === 'another-key');
      assert.deepEqual(told(harness, changes), told(harness, [{ appId: known.id, change: 'updated' }]));
    });

    test('shows that an app is disabled', async (harness) => {
      const { provider, known, disable } = harness;
      if (disable === undefined) return;
      const changes = await changesOf(harness, disable);
      await eventually(async () => (await found('findByKey', provider, known.key))?.enabled === false);
      assert.deepEqual(told(harness, changes), told(harness, [{ appId: known.id, change: 'disabled' }]));
    });

    test('no longer finds an app that is removed', async (harness) => {
      const { provider, known, remove } = harness;
      if (remove === undefined) return;
      const changes = await changesOf(harness, remove);
      await eventually(async () => (await found('findById', provider, known.id)) === undefined);
      await eventually(async () => (await found('findByKey', provider, known.key)) === undefined);
      assert.deepEqual(told(harness, changes), told(harness, [{ appId: known.id, change: 'removed' }]));
    });
  });
}

function found(method: 'findById' | 'findByKey', provider: AppProvider, value: string): Promise<App | undefined> {
  return askAgain(
    () => provider[method](value),
    () => false,
  );
}

/** Lets the app change after somebody has looked at it; resolves when the provider has said so, if it does. */
async function changesOf(harness: AppProviderHarness, change: () => Promise<void> | void): Promise<AppChange[]> {
  const { provider, known, tellsChanges } = harness;
  const changes: AppChange[] = [];
  provider.onChange((each) => changes.push(each));
  await found('findById', provider, known.id);
  await found('findByKey', provider, known.key);
  await change();
  if (tellsChanges === true) {
    // One that notices a change by itself does so when it is asked.
    await eventually(async () => {
      await found('findById', provider, known.id);
      return changes.length > 0;
    });
  }
  return changes;
}

function told({ tellsChanges }: AppProviderHarness, changes: readonly AppChange[]): readonly AppChange[] {
  return tellsChanges === true ? changes : [];
}
