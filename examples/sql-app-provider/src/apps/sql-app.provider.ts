import { Inject, Injectable } from '@nestjs/common';
import { AppDefaults, AppProvider, parseAllowedOrigins, type App, type AppChange } from 'pogo-gateway/hub';
import { AppsTable, type AppRow } from './apps.table.js';

/** DI token: how long an app that was found may be used again, ms. */
export const APPS_TTL_MS = Symbol('APPS_TTL_MS');

/**
 * The apps of a SQL table. The gateway keeps what it finds here for {@link cacheTtlMs}, so that the table is asked once
 * in that time for each app. What is changed through this object is in force at once; what is changed behind its back,
 * by another node for example, when the time is over.
 */
@Injectable()
export class SqlAppProvider extends AppProvider {
  override readonly cacheTtlMs: number;
  private listener: (change: AppChange) => void = () => undefined;

  constructor(
    private readonly table: AppsTable,
    private readonly defaults: AppDefaults,
    @Inject(APPS_TTL_MS) cacheTtlMs: number,
  ) {
    super();
    this.cacheTtlMs = cacheTtlMs;
  }

  async findById(id: string): Promise<App | undefined> {
    return this.complete(this.table.findById(id));
  }

  async findByKey(key: string): Promise<App | undefined> {
    return this.complete(this.table.findByKey(key));
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  /**
   * Adds the app, or replaces the one with its id. Told for a new one as well: that there was none may be remembered.
   * @throws TypeError for a row that is no app, KeyTaken
   */
  save(row: AppRow): void {
    this.complete(row);
    this.table.save(row);
    this.listener({ appId: row.id, change: row.enabled === 1 ? 'updated' : 'disabled' });
  }

  /** @returns whether there is such an app. */
  setEnabled(id: string, enabled: boolean): boolean {
    const isThere = this.table.setEnabled(id, enabled);
    if (isThere) this.listener({ appId: id, change: enabled ? 'updated' : 'disabled' });
    return isThere;
  }

  /** @returns whether there was such an app. */
  remove(id: string): boolean {
    const wasThere = this.table.remove(id);
    if (wasThere) this.listener({ appId: id, change: 'removed' });
    return wasThere;
  }

  private complete(row: AppRow): App;
  private complete(row: AppRow | undefined): App | undefined;
  private complete(row: AppRow | undefined): App | undefined {
    if (row === undefined) return undefined;
    const { id, key, secret, enabled, client_events, allowed_origins, max_connections, max_event_bytes } = row;
    // A setting that is left out, and not undefined, is the server's.
    return this.defaults.complete({
      id,
      key,
      secret,
      enabled: enabled === 1,
      ...(client_events === null ? {} : { clientEvents: client_events === 1 }),
      ...(allowed_origins === null ? {} : { allowedOrigins: parseAllowedOrigins(allowed_origins.split(',')) }),
      ...(max_connections === null ? {} : { maxConnections: max_connections }),
      ...(max_event_bytes === null ? {} : { limits: { maxEventBytes: max_event_bytes } }),
    });
  }
}
