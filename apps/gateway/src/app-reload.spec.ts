import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { ConfigAppProvider, type App } from '@pogo/hub';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppReload } from './app-reload.js';
import { explainConfig } from './config/load-config.js';

/** Of files that tools make: all of them have the same. */
const DATE = new Date(1_600_000_000_000);
const A = '  - { id: a, key: key-a, secret: never-printed }\n';
const B = '  - { id: b, key: key-b, secret: never-printed }\n';
const C = '  - { id: c, key: key-c, secret: never-printed }\n';

let folder: string;
let path: string;
let reload: AppReload;
/** Ids of the apps that each reload brought. */
let reloads: string[][];
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-reload-'));
  path = join(folder, 'pogo.yaml');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  said = [];
  for (const level of ['log', 'warn', 'error'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void said.push(String(message)));
  }
});

afterEach(() => {
  reload.onApplicationShutdown();
  vi.useRealTimers();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A server that has read the file; `meanwhile` happens before all of it is there. */
function start(text: string, meanwhile: () => void = () => undefined): void {
  put(text);
  const { config } = explainConfig({ POGO_WS_CONFIG: path });
  meanwhile();
  reload = new AppReload(config, new ConfigAppProvider(config.apps));
  reloads = [];
  reload.onReload((apps: readonly App[]) => reloads.push(apps.map(({ id }) => id)));
  reload.onApplicationBootstrap();
}

/** At once. */
function put(text: string): void {
  writeFileSync(`${path}.new`, text);
  utimesSync(`${path}.new`, DATE, DATE);
  renameSync(`${path}.new`, path);
}

/** A second passes, and the file has been looked at. */
async function looks(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    vi.advanceTimersByTime(1_000);
    while (vi.getTimerCount() === 0) await nextTurn();
  }
}

describe('The file of the apps', () => {
  it('is read again when it has changed, once', async () => {
    start(`apps:\n${A}`);
    await looks(3);
    expect(reloads).toEqual([]);
    put(`apps:\n${A}${B}`);
    await looks(4);
    expect(reloads).toEqual([['a', 'b']]);
  });

  it('is read again when it has changed while the server started', async () => {
    start(`apps:\n${A}`, () => put(`apps:\n${A}${B}`));
    await looks(2);
    expect(reloads).toEqual([['a', 'b']]);
  });

  it('is not read while somebody writes it: half of it would close the clients of the other apps for good', async () => {
    start(`apps:\n${A}${B}`);
    writeFileSync(path, `apps:\n${A}`);
    for (let i = 0; i < 3; i++) {
      await looks(1);
      appendFileSync(path, '# and so on\n');
    }
    appendFileSync(path, B + C);
    await looks(2);
    expect(reloads).toEqual([['a', 'b', 'c']]);
  });

  it('is read again although its date and size are the old ones', async () => {
    start(`apps:\n${A}`);
    const { ctimeMs } = statSync(path);
    // The clock of a file system stands still for some milliseconds.
    while (statSync(path).ctimeMs === ctimeMs) {
      writeFileSync(path, `apps:\n${B}`);
      utimesSync(path, DATE, DATE);
    }
    await looks(2);
    expect(reloads).toEqual([['b']]);
  });

  it('may be away for a while, and have a mistake, which is told once', async () => {
    start(`apps:\n${A}`);
    rmSync(path);
    await looks(3);
    put('apps: [');
    await looks(4);
    expect(said).toEqual([expect.stringMatching(/^the apps stay as they are: .* line 1, column/)]);
    put(`apps:\n${B}`);
    await looks(2);
    expect(reloads).toEqual([['b']]);
  });

  it('may change settings: those that apps have are in force with them, the others wait', async () => {
    start(`apps:\n${A}`);
    put(`client_events: off\nmax_event_bytes: 100\nmax_connections: 5\nping_period: 5s\napps:\n${A}`);
    reload.reload();
    expect(said.filter((sentence) => sentence.includes('after the next start'))).toEqual([
      'max_connections, ping_period: in force after the next start',
    ]);
    expect(said.join()).toContain('0 new, 0 removed, 1 changed');
    await looks(2);
    expect(reloads).toHaveLength(1);
  });
});
