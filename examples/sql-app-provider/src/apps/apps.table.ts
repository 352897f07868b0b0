import sqlite, { type Database, type QueryResult, type Statement } from 'node-sqlite3-wasm';
import { migrate } from './migrate.js';

/** A row of the table. What is null is for the server's settings to say. */
export interface AppRow {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
  readonly enabled: 0 | 1;
  readonly client_events: 0 | 1 | null;
  /** Separated by commas. */
  readonly allowed_origins: string | null;
  readonly max_connections: number | null;
  readonly max_event_bytes: number | null;
}

/** Another app has the key. */
export class KeyTaken extends Error {
  constructor() {
    super('another app has this key');
  }
}

/** How long to wait for another process that writes. */
const BUSY_TIMEOUT_MS = 1_000;

/**
 * The table `apps`. All values are bound to statements that were prepared once: nothing that a client sends, such as a
 * key, becomes SQL. SQLite answers at once; with a database over the network these would be promises.
 */
export class AppsTable {
  private readonly database: Database;
  private readonly statements: Readonly<
    Record<'byId' | 'byKey' | 'list' | 'save' | 'setEnabled' | 'remove', Statement>
  >;

  constructor(path: string) {
    this.database = new sqlite.Database(path);
    this.database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    migrate(this.database);
    this.statements = {
      byId: this.database.prepare('SELECT * FROM apps WHERE id = ?'),
      byKey: this.database.prepare('SELECT * FROM apps WHERE key = ?'),
      list: this.database.prepare('SELECT * FROM apps ORDER BY id'),
      save: this.database.prepare(
        `INSERT INTO apps (id, key, secret, enabled, client_events, allowed_origins, max_connections, max_event_bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET key = excluded.key, secret = excluded.secret, enabled = excluded.enabled,
           client_events = excluded.client_events, allowed_origins = excluded.allowed_origins,
           max_connections = excluded.max_connections, max_event_bytes = excluded.max_event_bytes`,
      ),
      setEnabled: this.database.prepare('UPDATE apps SET enabled = ? WHERE id = ?'),
      remove: this.database.prepare('DELETE FROM apps WHERE id = ?'),
    };
  }

  findById(id: string): AppRow | undefined {
    return onlyRow(this.statements.byId.all([id]));
  }

  findByKey(key: string): AppRow | undefined {
    return onlyRow(this.statements.byKey.all([key]));
  }

  list(): AppRow[] {
    return this.statements.list.all() as unknown as AppRow[];
  }

  /** Adds the app, or replaces the one with its id. @throws KeyTaken */
  save(row: AppRow): void {
    const owner = this.findByKey(row.key);
    if (owner !== undefined && owner.id !== row.id) throw new KeyTaken();
    const { id, key, secret, enabled, client_events, allowed_origins, max_connections, max_event_bytes } = row;
    this.statements.save.run([
      id,
      key,
      secret,
      enabled,
      client_events,
      allowed_origins,
      max_connections,
      max_event_bytes,
    ]);
  }

  /** @returns whether there is such an app. */
  setEnabled(id: string, enabled: boolean): boolean {
    return this.statements.setEnabled.run([enabled ? 1 : 0, id]).changes > 0;
  }

  /** @returns whether there was such an app. */
  remove(id: string): boolean {
    return this.statements.remove.run([id]).changes > 0;
  }

  /** WebAssembly's memory is not collected: whoever opens a database closes it. */
  close(): void {
    for (const statement of Object.values(this.statements)) statement.finalize();
    this.database.close();
  }
}

/**
 * The table is STRICT, so a row has the columns' types. Statements are read to their end, with `all` and not with `get`:
 * one that waits in the middle locks other processes out.
 */
function onlyRow([result]: readonly QueryResult[]): AppRow | undefined {
  return result as unknown as AppRow | undefined;
}
