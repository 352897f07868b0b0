import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Settings } from '../settings.js';
import { AppsTable } from './apps.table.js';
import { APPS_TTL_MS } from './sql-app.provider.js';

/** What the provider of the apps is made of. */
@Module({})
export class AppsModule implements OnApplicationShutdown {
  static forRoot({ databasePath, appsTtlMs }: Settings): DynamicModule {
    return {
      module: AppsModule,
      providers: [
        { provide: AppsTable, useFactory: () => new AppsTable(databasePath) },
        { provide: APPS_TTL_MS, useValue: appsTtlMs },
      ],
      exports: [AppsTable, APPS_TTL_MS],
    };
  }

  constructor(@Inject(AppsTable) private readonly table: AppsTable) {}

  /** The last hook: requests have been answered by then. */
  onApplicationShutdown(): void {
    this.table.close();
  }
}
