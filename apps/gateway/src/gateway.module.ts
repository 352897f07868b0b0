import { Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  AppDefaults,
  AppProvider,
  ConfigAppProvider,
  HubModule,
  HubOptions,
  RedisOptions,
  WebhookSender,
  type HubModuleOptions,
} from '@pogo/hub';
import { AppReload } from './app-reload.js';
import { CommandsModule } from './commands/commands.module.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';
import { loadConfig } from './config/load-config.js';
import { DrainOnShutdown } from './drain-on-shutdown.js';
import { HubEventHandlers } from './on-hub-event.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { HttpWebhookSender } from './webhooks/http-webhook-sender.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';
import { WebSocketModule } from './websocket/websocket.module.js';

export interface GatewayModuleOptions extends HubModuleOptions {
  /** By default that of the environment. */
  readonly config?: GatewayConfig;
}

export interface GatewayModuleAsyncOptions extends HubModuleOptions {
  readonly inject?: InjectionToken[];
  readonly useFactory: (...dependencies: never[]) => GatewayConfig | Promise<GatewayConfig>;
}

/** The gateway as a module of any Nest application. The only file that knows all rooms. */
@Module({})
export class GatewayModule {
  /**
   * Every port can be replaced by a class of the application's, which is injected like any other from `imports` and
   * `providers`: `forRoot({ imports: [UsersModule], auth: [JwtAuthProvider, SignatureAuthProvider] })`.
   * @throws ConfigError when the environment is asked and not valid.
   */
  static forRoot({ config, ...hub }: GatewayModuleOptions = {}): DynamicModule {
    return compose({ provide: GATEWAY_CONFIG, useValue: config ?? fromEnvironment(hub) }, hub);
  }

  /** As {@link forRoot}, with a configuration that other providers make. */
  static forRootAsync({ inject = [], useFactory, ...hub }: GatewayModuleAsyncOptions): DynamicModule {
    return compose({ provide: GATEWAY_CONFIG, inject, useFactory }, hub);
  }
}

@Module({})
class ConfigModule {}

function compose(config: Provider, { imports = [], providers = [], ...ports }: HubModuleOptions): DynamicModule {
  // Dynamic modules are one when they are one object, so each is made once and handed round.
  const configModule = { module: ConfigModule, imports, providers: [config], exports: [GATEWAY_CONFIG] };
  const hubModule = HubModule.forRoot({
    ...ports,
    imports: [...imports, configModule],
    providers: [...defaults(new Set(providers.map(tokenOf)), ports), ...providers],
  });
  const rooms: DynamicModule[] = [configModule, hubModule];
  const metricsModule = MetricsModule.forRoot(rooms);
  return {
    module: GatewayModule,
    imports: [
      ...rooms,
      DiscoveryModule,
      HttpModule.forRoot(rooms),
      WebSocketModule.forRoot(rooms),
      HealthModule.forRoot(rooms),
      CommandsModule.forRoot(rooms),
      WebhooksModule.forRoot(rooms),
      metricsModule,
    ],
    providers: [DrainOnShutdown, HubEventHandlers, AppReload],
    exports: [...rooms, metricsModule],
  };
}

/** What the configuration and the rooms provide unless the application brings its own. */
function defaults(custom: ReadonlySet<unknown>, { apps, webhooks }: HubModuleOptions): Provider[] {
  const inject = [GATEWAY_CONFIG];
  const all = [
    { provide: HubOptions, inject, useFactory: (config: GatewayConfig) => config.hub },
    { provide: RedisOptions, inject, useFactory: (config: GatewayConfig) => config.redis },
    { provide: AppDefaults, inject, useFactory: (config: GatewayConfig) => config.appDefaults },
    ...(webhooks === undefined ? [{ provide: WebhookSender, useClass: HttpWebhookSender }] : []),
    ...(apps !== undefined
      ? []
      : [{ provide: AppProvider, inject, useFactory: (config: GatewayConfig) => new ConfigAppProvider(config.apps) }]),
  ];
  return all.filter(({ provide }) => !custom.has(provide));
}

function fromEnvironment({ apps, providers = [] }: HubModuleOptions): GatewayConfig {
  const hasAppProvider = apps !== undefined || providers.some((provider) => tokenOf(provider) === AppProvider);
  return loadConfig(undefined, { hasAppProvider });
}

function tokenOf(provider: Provider): unknown {
  return typeof provider === 'function' ? provider : provider.provide;
}
