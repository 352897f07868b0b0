import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createGateway, loadConfig } from 'pogo-gateway';
import { bodyMd5, signHttpRequest, type QueryPairs } from 'pogo-gateway/protocol';
import { AppModule } from '../../src/app.module.js';
import { Client } from './client.js';

export const ADMIN_TOKEN = 'administrators-only-'.repeat(2);

export interface Keys {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

/** Everything that was logged. Nest has one logger in a process, whatever number of applications. */
export const logged: string[] = [];

/** The application on a free port with a database of its own, as main.ts boots it. */
export class Application {
  private readonly clients: Client[] = [];

  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(appsTtlMs = 60_000): Promise<Application> {
    const folder = mkdtempSync(join(tmpdir(), 'pogo-apps-'));
    const config = loadConfig(
      { POGO_WS_HOST: '127.0.0.1', POGO_WS_PORT: '0', POGO_WS_HANDSHAKE_RATE: '-1' },
      { hasAppProvider: true },
    );
    const settings = { databasePath: join(folder, 'apps.db'), appsTtlMs, adminToken: ADMIN_TOKEN };
    const note = (...parts: unknown[]) => void logged.push(parts.map(String).join(' '));
    const logger = { log: note, warn: note, error: note };
    const app = await createGateway(AppModule.forRoot(config, settings), { isStandalone: false, logger });
    await app.listen(config.port, config.host);
    return new Application(app, folder, (app.getHttpServer().address() as AddressInfo).port);
  }

  get databasePath(): string {
    return join(this.folder, 'apps.db');
  }

  /** Asks the administration. */
  async admin(
    method: string,
    path = '',
    body?: unknown,
    token = ADMIN_TOKEN,
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}/admin/apps${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Publishes over the signed HTTP API; resolves to the status. */
  async publish({ id, key, secret }: Keys, channel: string, name: string): Promise<number> {
    const path = `/apps/${id}/events`;
    const body = JSON.stringify({ name, channel, data: '{}' });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const pairs: QueryPairs = [
      ['auth_key', key],
      ['auth_timestamp', timestamp],
      ['auth_version', '1.0'],
      ['body_md5', bodyMd5(Buffer.from(body))],
    ];
    const query = new URLSearchParams(Object.fromEntries(pairs));
    query.set('auth_signature', signHttpRequest(secret, 'POST', path, pairs));
    const { status } = await fetch(`http://127.0.0.1:${this.port}${path}?${query.toString()}`, {
      method: 'POST',
      body,
    });
    return status;
  }

  dial(key: string): Client {
    const client = new Client(`ws://127.0.0.1:${this.port}/app/${key}?protocol=7`);
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.app.close();
    rmSync(this.folder, { recursive: true });
  }
}
