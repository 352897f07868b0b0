import { Module, type DynamicModule, type InjectionToken, type ModuleMetadata, type Provider } from '@nestjs/common';
import { AppProvider } from './app/app-provider.js';
import { CachingAppProvider } from './app/caching-app-provider.js';
import { AppDefaults } from './app/app-defaults.js';
import { ConfigAppProvider } from './app/config-app-provider.js';
import { AuthProvider } from './auth/auth-provider.js';
import { AuthProviderChain } from './auth/auth-provider-chain.js';
import { AuthService } from './auth/auth.service.js';
import { HttpAuthProvider } from './auth/http-auth-provider.js';
import { SignatureAuthProvider } from './auth/signature-auth-provider.js';
import { Broker } from './broker/broker.js';
import { CommandBus } from './broker/command-bus.js';
import { MemoryBroker, MemoryBus } from './broker/memory-broker.js';
import { MemoryCommandBus } from './broker/memory-command-bus.js';
import { CommandNonces } from './commands/command-nonces.js';
import { MemoryCommandNonces } from './commands/memory-command-nonces.js';
import { ChannelDirectory } from './directory/channel-directory.js';
import { ConnectionDirectory } from './directory/connection-directory.js';
import { MemoryChannelDirectory } from './directory/memory-channel-directory.js';
import { MemoryConnectionDirectory } from './directory/memory-connection-directory.js';
import { MemoryUserDirectory } from './directory/memory-user-directory.js';
import { UserDirectory } from './directory/user-directory.js';
import { HubEvents } from './hub-events.js';
import { HubOptions } from './hub-options.js';
import { HubService } from './hub.service.js';
import { portProvider, type PortOption, type TokenProvider } from './port-option.js';
import { MemoryRateLimitStore } from './rate-limit/memory-rate-limit-store.js';
import { RateLimitService } from './rate-limit/rate-limit.service.js';
import { RateLimitStore } from './rate-limit/rate-limit-store.js';
import { RedisCommandController } from './broker/redis-command.controller.js';
import { RedisNode } from './redis/redis-node.js';
import { RedisOptions } from './redis/redis-options.js';
import { MemoryWebhookQueue } from './webhooks/memory-webhook-queue.js';
import { WebhookQueue } from './webhooks/webhook-queue.js';
import { WebhookSender } from './webhooks/webhook-sender.js';

/** Complete by itself: one node, everything in memory, no apps. With {@link RedisOptions}: one node of several. */
const DEFAULTS: readonly TokenProvider[] = [
  { provide: HubOptions, useFactory: () => new HubOptions() },
  { provide: AppDefaults, useFactory: () => new AppDefaults() },
  { provide: AppProvider, useFactory: () => new ConfigAppProvider([]) },
  ...authProviders([SignatureAuthProvider, HttpAuthProvider]),
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
  port(UserDirectory, (bus, redis) => redis?.users ?? new MemoryUserDirectory(bus)),
  port(RateLimitStore, (_bus, redis) => redis?.rateLimits ?? new MemoryRateLimitStore()),
  port(CommandNonces, (_bus, redis) => redis?.nonces ?? new MemoryCommandNonces()),
  {
    provide: WebhookQueue,
    inject: [ChannelDirectory, HubEvents, { token: RedisNode, optional: true }],
    // What stands in Redis is written by its own directory only.
    useFactory: (directory: ChannelDirectory, events: HubEvents, redis?: RedisNode) =>
      redis?.channels === directory ? redis.webhooks : new MemoryWebhookQueue(events),
  },
];

function port(token: InjectionToken, useFactory: (bus: MemoryBus, redis?: RedisNode) => unknown): TokenProvider {
  return { provide: token, inject: [MemoryBus, { token: RedisNode, optional: true }], useFactory };
}

export interface HubModuleOptions {
  /** Modules that what is given here injects from. */
  readonly imports?: ModuleMetadata['imports'];
  /** Who may subscribe and sign in. Of several the first that does not answer `not_mine` decides. */
  readonly auth?: PortOption<AuthProvider> | readonly PortOption<AuthProvider>[];
  /** Where apps come from; answers are kept as long as it says. */
  readonly apps?: PortOption<AppProvider>;
  /** How nodes tell each other events. */
  readonly broker?: PortOption<Broker>;
  /** Who is in which channel of the cluster. */
  readonly directory?: PortOption<ChannelDirectory>;
  /** How applications are told what happens; by HTTP unless it says otherwise. */
  readonly webhooks?: PortOption<WebhookSender>;
  /** What the ports need, and replacements for any other token: `{ provide: RateLimitStore, useClass: MyStore }`. */
  readonly providers?: readonly Provider[];
}

function portProviders({ auth, apps, broker, directory, webhooks }: HubModuleOptions): TokenProvider[] {
  return [
    ...(auth === undefined ? [] : authProviders([auth].flat())),
    ...(apps === undefined ? [] : appProviders(apps)),
    ...(broker === undefined ? [] : [portProvider(Broker, broker)]),
    ...(directory === undefined ? [] : [portProvider(ChannelDirectory, directory)]),
    ...(webhooks === undefined ? [] : [portProvider(WebhookSender, webhooks)]),
  ];
}

/** Each provider under a token of its own, and the port itself over all of them. */
function authProviders(options: readonly PortOption<AuthProvider>[]): TokenProvider[] {
  const links = options.map((option, i) => portProvider(ownToken(option, `AuthProvider ${i}`), option));
  return [
    ...links,
    {
      provide: AuthProvider,
      inject: links.map(({ provide }) => provide),
      useFactory: (...providers: AuthProvider[]) =>
        providers.length === 1 ? providers[0] : new AuthProviderChain(providers),
    },
  ];
}

/** The provider of the apps behind what keeps its answers and stands its failures. Those of the configuration need none. */
function appProviders(option: PortOption<AppProvider>): TokenProvider[] {
  const source = portProvider(ownToken(option, 'AppProvider'), option);
  return [
    source,
    {
      provide: AppProvider,
      inject: [source.provide, HubOptions],
      useFactory: (provider: AppProvider, { authTimeoutMs: timeoutMs }: HubOptions) =>
        provider instanceof ConfigAppProvider || provider instanceof CachingAppProvider
          ? provider
          : new CachingAppProvider(provider, { ttlMs: Math.max(0, provider.cacheTtlMs), timeoutMs }),
    },
  ];
}

/** A class can be injected by its name as well. */
function ownToken(option: PortOption<unknown>, description: string): InjectionToken {
  return typeof option === 'function' ? option : Symbol(description);
}

function withToken(provider: Provider): TokenProvider {
  return typeof provider === 'function' ? { provide: provider, useClass: provider } : provider;
}

/** The hub and its ports. Tokens are the abstract classes themselves. */
@Module({})
export class HubModule {
  static forRoot({ imports = [], providers = [], ...options }: HubModuleOptions = {}): DynamicModule {
    const custom = [...portProviders(options), ...providers.map(withToken)];
    const replaced = new Set(custom.map(({ provide }) => provide));
    const ports = [...DEFAULTS.filter(({ provide }) => !replaced.has(provide)), ...custom];
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
