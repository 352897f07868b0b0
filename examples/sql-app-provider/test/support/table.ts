import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppRow } from '../../src/apps/apps.table.js';

/** A folder for a database, and what takes it away again. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'pogo-apps-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** A row that says no more than it must. */
export const APP: AppRow = {
  id: 'shop',
  key: 'shop-key',
  secret: 'shop-secret-never-printed',
  enabled: 1,
  client_events: null,
  allowed_origins: null,
  max_connections: null,
  max_event_bytes: null,
};
