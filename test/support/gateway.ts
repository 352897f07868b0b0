import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule, createGateway, loadConfig, type ConfigExtras, type Environment } from '@pogo/gateway';
import { HubEvents, HubService } from '@pogo/hub';
import { Client, type ClientOptions } from './client.js';
import { HttpApi } from './http-api.js';

/** The app that test gateways serve unless told otherwise. */
export const APP = { id: '1', key: 'test-key', secret: 'test-secret' } as const;

const SILENT: LoggerService = { log: () => undefined, error: () => undefined, warn: () => undefined };

export interface GatewayOptions extends ConfigExtras {
  /** `POGO_WS_*` settings by their short name, for example `{ ping_period: '200ms' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the server's own messages go; nowhere by default. */
  readonly logger?: LoggerService;
}

/** A real gateway on a free port of the loopback interface. */
export class TestGateway {
  private readonly clients: Client[] = [];

  private constructor(
    readonly app: NestFastifyApplication,
    readonly port: number,
    readonly pathPrefix: string,
    readonly hasTls: boolean,
  ) {}

  static async start({ settings = {}, logger = SILENT, ...extras }: GatewayOptions = {}): Promise<TestGateway> {
    const all = {
      host: '127.0.0.1',
      port: '0',
      // All clients of a test have one address.
      handshake_rate: '-1',
      metrics_port: 'off',
      ...(extras.apps === undefined ? { app_id: APP.id, app_key: APP.key, app_secret: APP.secret } : {}),
      ...settings,
    };
    const environment: Environment = Object.fromEntries(
      Object.entries(all).map(([key, value]) => [`POGO_WS_${key.toUpperCase()}`, value]),
    );
    const config = loadConfig(environment, extras);
    const app = await createGateway(AppModule.forRoot(config), { logger, tls: config.tls });
    await app.listen(config.port, config.host);
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new TestGateway(app, port, config.pathPrefix, config.tls !== undefined);
  }

  get hub(): HubService {
    return this.app.get(HubService);
  }

  get events(): HubEvents {
    return this.app.get(HubEvents);
  }

  get http(): HttpApi {
    return new HttpApi(`${this.hasTls ? 'https' : 'http'}://127.0.0.1:${this.port}${this.pathPrefix}`, APP);
  }

  /** URL of a WebSocket for `key`. */
  url(key: string = APP.key, query = 'protocol=7&client=js&version=8.6.0'): string {
    return `${this.hasTls ? 'wss' : 'ws'}://127.0.0.1:${this.port}${this.pathPrefix}/app/${key}${query === '' ? '' : `?${query}`}`;
  }

  /** A client that has received `pusher:connection_established`. */
  async connect(options: ClientOptions = {}): Promise<Client> {
    const client = this.dial(this.url(), options);
    await client.established();
    return client;
  }

  /** A client that only dials: for what the server refuses. */
  dial(url: string = this.url(), options: ClientOptions = {}): Client {
    const client = new Client(url, { app: APP, ...options });
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.terminate();
    await this.app.close();
  }
}
