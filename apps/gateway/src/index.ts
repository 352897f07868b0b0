/** The gateway as a package: the module, how to boot it, and its configuration. */
export { AppModule } from './app.module.js';
export { CommandServer } from './commands/command-server.js';
export {
  GATEWAY_CONFIG,
  type ConfigExtras,
  type GatewayConfig,
  type HttpConfig,
  type TlsConfig,
} from './config/gateway-config.js';
export { ConfigError, loadConfig, type Environment } from './config/load-config.js';
export type { TlsFiles } from './config/tls-files.js';
export { createGateway, type CreateGatewayOptions } from './create-gateway.js';
export { GatewayLogger } from './gateway-logger.js';
export { GatewayModule, type GatewayModuleAsyncOptions, type GatewayModuleOptions } from './gateway.module.js';
export { MetricRegistries } from './metrics/metrics.js';
export { OnHubEvent } from './on-hub-event.js';
export { reloadCertificate } from './tls.js';
export { webSocketUrl, welcome } from './welcome.js';
