import { Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { AppProvider, ConfigAppProvider, HubModule, HubOptions, RedisOptions, type HubModuleOptions } from '@pogo/hub';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';
import { DrainOnShutdown } from './drain-on-shutdown.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { WebSocketModule } from './websocket/websocket.module.js';

export interface GatewayModuleOptions extends HubModuleOptions {
  readonly config: GatewayConfig;
}

export interface GatewayModuleAsyncOptions extends HubModuleOptions {
  readonly inject?: InjectionToken[];
  readonly useFactory: (...dependencies: never[]) => GatewayConfig | Promise<GatewayConfig>;
}

/** The gateway as a module of any Nest application. The only file that knows all rooms. */
@Module({})
export class GatewayModule {
  /** `providers` replace ports by token, for example `{ provide: AuthProvider, useClass: MyAuthProvider }`. */
  static forRoot({ config, ...hub }: GatewayModuleOptions): DynamicModule {
    return compose({ provide: GATEWAY_CONFIG, useValue: config }, hub);
  }

  /** As {@link forRoot}, with a configuration that other providers make. */
  static forRootAsync({ inject = [], useFactory, ...hub }: GatewayModuleAsyncOptions): DynamicModule {
    return compose({ provide: GATEWAY_CONFIG, inject, useFactory }, hub);
  }
}

@Module({})
class ConfigModule {}

function compose(config: Provider, { imports = [], providers = [] }: HubModuleOptions): DynamicModule {
  // Dynamic modules are one when they are one object, so each is made once and handed round.
  const configModule = { module: ConfigModule, imports, providers: [config], exports: [GATEWAY_CONFIG] };
  const hubModule = HubModule.forRoot({
    imports: [...imports, configModule],
    providers: [...fromConfig(providers), ...providers],
  });
  const rooms: DynamicModule[] = [configModule, hubModule];
  return {
    module: GatewayModule,
    imports: [...rooms, HttpModule.forRoot(rooms), WebSocketModule.forRoot(rooms), HealthModule.forRoot(rooms)],
    providers: [DrainOnShutdown],
    exports: rooms,
  };
}

/** What the configuration provides unless the application brings its own. */
function fromConfig(custom: NonNullable<HubModuleOptions['providers']>): NonNullable<HubModuleOptions['providers']> {
  const inject = [GATEWAY_CONFIG];
  const defaults = [
    { provide: HubOptions, inject, useFactory: (config: GatewayConfig) => config.hub },
    { provide: RedisOptions, inject, useFactory: (config: GatewayConfig) => config.redis },
    { provide: AppProvider, inject, useFactory: (config: GatewayConfig) => new ConfigAppProvider(config.apps) },
  ];
  return defaults.filter(({ provide }) => !custom.some((provider) => provider.provide === provide));
}
