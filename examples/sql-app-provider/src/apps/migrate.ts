import { readFileSync } from 'node:fs';
import type { Database } from 'node-sqlite3-wasm';

/** Beside package.json. */
const FILE = new URL('../../../migrations.sql', import.meta.url);
const HEADING = /^-- migration (\d+).*$/m;

/**
 * Brings the database up to date: each migration it has not seen is one transaction, with the count of them.
 * @param upTo leaves out those above it, for tests.
 */
export function migrate(database: Database, upTo = Infinity): void {
  const seen = Number(database.get('PRAGMA user_version')?.['user_version']);
  for (const { number, sql } of migrations()) {
    if (number <= seen || number > upTo) continue;
    try {
      database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${number}; COMMIT`);
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

function migrations(): { number: number; sql: string }[] {
  // split keeps what is in parentheses: the number, and then what stands below the heading.
  const [, ...parts] = readFileSync(FILE, 'utf8').split(HEADING);
  return parts.flatMap((part, i) => (i % 2 === 0 ? [{ number: Number(part), sql: parts[i + 1] ?? '' }] : []));
}
