import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { AppDefaults } from 'pogo-gateway/hub';
import { appProviderContract } from 'pogo-gateway/hub/testing';
import { AppsTable } from '../src/apps/apps.table.js';
import { SqlAppProvider } from '../src/apps/sql-app.provider.js';
import { APP, temporaryFolder } from './support/table.js';

// What every app provider must do, wherever its apps are.
appProviderContract({ describe, it, afterEach }, 'SQL table', () => {
  const folder = temporaryFolder();
  const table = new AppsTable(join(folder.path, 'apps.db'));
  const provider = new SqlAppProvider(table, new AppDefaults(), 0);
  provider.save(APP);
  return {
    provider,
    known: APP,
    tellsChanges: true,
    add: (app) => provider.save({ ...APP, ...app }),
    changeKey: (key) => provider.save({ ...APP, key }),
    disable: () => void provider.setEnabled(APP.id, false),
    remove: () => void provider.remove(APP.id),
    close: () => {
      table.close();
      folder.remove();
      return Promise.resolve();
    },
  };
});
