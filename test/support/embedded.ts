import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createGateway, loadConfig, type GatewayConfig } from '@pogo/gateway';
import { HubEvents, HubService } from '@pogo/hub';
import type { SigningKey } from '@pogo/pusher-protocol';
import { Client, type ClientOptions } from './client.js';
import { APP } from './gateway.js';
import { HttpApi } from './http-api.js';
import { Log } from './log.js';

type TestApp = SigningKey & { readonly id: string };

/** `POGO_WS_*` of a gateway with the test's app, by their short names. */
export function environmentOf(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
  const all = {
    // All clients of a test have one address.
    handshake_rate: '-1',
    metrics_port: 'off',
    app_id: APP.id,
    app_key: APP.key,
    app_secret: APP.secret,
    ...settings,
  };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [`POGO_WS_${key.toUpperCase()}`, value]));
}

export function configOf(settings: Readonly<Record<string, string>> = {}): GatewayConfig {
  return loadConfig(environmentOf(settings));
}

/** An application of somebody's that imports the gateway: on a free port of the loopback interface. */
export class EmbeddedGateway {
  private readonly clients: Client[] = [];

  private constructor(
    readonly app: NestFastifyApplication,
    readonly log: Log,
    private readonly port: number,
  ) {}

  /** @param rest what the application has besides. */
  static async start(gateway: DynamicModule, rest: ModuleMetadata = {}): Promise<EmbeddedGateway> {
    const imports = [gateway, ...(rest.imports ?? [])];
    // A class of its own for each: Nest knows modules by their class.
    @Module({})
    class TestApplication {}
    const log = new Log();
    const app = await createGateway({ ...rest, module: TestApplication, imports } as DynamicModule, {
      logger: log,
      isStandalone: false,
    });
    await app.listen(0, '127.0.0.1');
    return new EmbeddedGateway(app, log, (app.getHttpServer().address() as AddressInfo).port);
  }

  get hub(): HubService {
    return this.app.get(HubService);
  }

  get events(): HubEvents {
    return this.app.get(HubEvents);
  }

  /** URL of what is served in plain HTTP. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The HTTP API as `app` uses it. */
  http(app: TestApp = APP): HttpApi {
    return new HttpApi(this.url(''), app);
  }

  /** A client that has received `pusher:connection_established`. */
  connect(app: SigningKey = APP, options: ClientOptions & { readonly query?: string } = {}): Promise<Client> {
    return this.dial(app, options).established();
  }

  /** A client that only dials: for what the server refuses. */
  dial(app: SigningKey = APP, { query = '', ...options }: ClientOptions & { readonly query?: string } = {}): Client {
    const client = new Client(`ws://127.0.0.1:${this.port}/app/${app.key}${query}`, { app, ...options });
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.terminate();
    await this.app.close();
  }
}
