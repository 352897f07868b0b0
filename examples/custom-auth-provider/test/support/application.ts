import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createGateway, loadConfig } from 'pogo-gateway';
import { AppModule } from '../../src/app.module.js';
import type { AuthSettings } from '../../src/auth/auth-settings.js';
import { settings as defaults } from './tokens.js';

export const KEY = 'example-key';
export const APP_SECRET = 'example-secret';

/** The application on a free port, as main.ts boots it. */
export class Application {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly port: number,
  ) {}

  static async start(settings: AuthSettings = defaults): Promise<Application> {
    const config = loadConfig({
      POGO_WS_HOST: '127.0.0.1',
      POGO_WS_PORT: '0',
      POGO_WS_HANDSHAKE_RATE: '-1',
      POGO_WS_APP_ID: '1',
      POGO_WS_APP_KEY: KEY,
      POGO_WS_APP_SECRET: APP_SECRET,
    });
    const app = await createGateway(AppModule.forRoot(config, settings), { isStandalone: false, logger: SILENT });
    await app.listen(config.port, config.host);
    return new Application(app, (app.getHttpServer().address() as AddressInfo).port);
  }

  /** POST as JSON; resolves to the status. */
  async post(path: string, body: unknown, token?: string): Promise<number> {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const { status } = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization },
      body: JSON.stringify(body),
    });
    return status;
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
