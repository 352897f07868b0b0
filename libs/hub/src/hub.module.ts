import { Module, type DynamicModule, type InjectionToken, type ModuleMetadata, type Provider } from '@nestjs/common';
import { AppProvider } from './app/app-provider.js';
import { ConfigAppProvider } from './app/config-app-provider.js';
import { AuthProvider } from './auth/auth-provider.js';
import { AuthService } from './auth/auth.service.js';
import { SignatureAuthProvider } from './auth/signature-auth-provider.js';
import { Broker } from './broker/broker.js';
import { CommandBus } from './broker/command-bus.js';
import { MemoryBroker, MemoryBus } from './broker/memory-broker.js';
import { MemoryCommandBus } from './broker/memory-command-bus.js';
import { ChannelDirectory } from './directory/channel-directory.js';
import { ConnectionDirectory } from './directory/connection-directory.js';
import { MemoryChannelDirectory } from './directory/memory-channel-directory.js';
import { MemoryConnectionDirectory } from './directory/memory-connection-directory.js';
import { MemoryUserDirectory } from './directory/memory-user-directory.js';
import { UserDirectory } from './directory/user-directory.js';
import { HubEvents } from './hub-events.js';
import { HubOptions } from './hub-options.js';
import { HubService } from './hub.service.js';
import { MemoryRateLimitStore } from './rate-limit/memory-rate-limit-store.js';
import { RateLimitService } from './rate-limit/rate-limit.service.js';
import { RateLimitStore } from './rate-limit/rate-limit-store.js';
import { RedisCommandController } from './broker/redis-command.controller.js';
import { RedisNode } from './redis/redis-node.js';
import { RedisOptions } from './redis/redis-options.js';

type CustomProvider = Exclude<Provider, new (...args: never[]) => unknown>;

/** Complete by itself: one node, everything in memory, no apps. With {@link RedisOptions}: one node of several. */
const DEFAULTS: readonly CustomProvider[] = [
  { provide: HubOptions, useFactory: () => new HubOptions() },
  { provide: AppProvider, useFactory: () => new ConfigAppProvider([]) },
  { provide: AuthProvider, useFactory: () => new SignatureAuthProvider() },
  { provide: RedisOptions, useFactory: () => undefined },
  {
    provide: RedisNode,
    inject: [RedisOptions],
    useFactory: (options?: RedisOptions) => options && new RedisNode(options),
  },
  { provide: MemoryBus, useFactory: () => new MemoryBus() },
  port(Broker, (bus, redis) => redis?.broker ?? new MemoryBroker(bus)),
  port(CommandBus, (_bus, redis) => redis?.commands ?? new MemoryCommandBus()),
  port(ChannelDirectory, (bus, redis) => redis?.channels ?? new MemoryChannelDirectory(bus)),
  port(ConnectionDirectory, (_bus, redis) => redis?.connections ?? new MemoryConnectionDirectory()),
  port(UserDirectory, (_bus, redis) => redis?.users ?? new MemoryUserDirectory()),
  port(RateLimitStore, (_bus, redis) => redis?.rateLimits ?? new MemoryRateLimitStore()),
];

function port(token: InjectionToken, useFactory: (bus: MemoryBus, redis?: RedisNode) => unknown): CustomProvider {
  return { provide: token, inject: [MemoryBus, { token: RedisNode, optional: true }], useFactory };
}

export interface HubModuleOptions {
  /** Modules that `providers` inject from. */
  readonly imports?: ModuleMetadata['imports'];
  /** Replacements for ports and {@link HubOptions}, by token: `{ provide: Broker, useClass: MyBroker }`. */
  readonly providers?: readonly CustomProvider[];
}

/** The hub and its ports. Tokens are the abstract classes themselves. */
@Module({})
export class HubModule {
  static forRoot({ imports = [], providers = [] }: HubModuleOptions = {}): DynamicModule {
    const replaced = new Set(providers.map(({ provide }) => provide));
    const ports = [...DEFAULTS.filter(({ provide }) => !replaced.has(provide)), ...providers];
    const services = [HubEvents, HubService, AuthService, RateLimitService];
    return {
      module: HubModule,
      imports,
      controllers: [RedisCommandController],
      providers: [...ports, ...services],
      exports: [...ports.map(({ provide }) => provide), ...services],
    };
  }
}
