import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { createGateway, GatewayLogger, loadConfig, webSocketUrl } from 'pogo-gateway';
import { AppModule } from './app.module.js';
import { settingsOf } from './settings.js';

// Without hasAppProvider an app would be made up for development, and only loopback be served.
const config = loadConfig(process.env, { hasAppProvider: true });
const app = await createGateway(AppModule.forRoot(config, settingsOf(process.env)), {
  // The routes of the administration are the application's own.
  isStandalone: false,
  tls: config.tls,
  logger: new GatewayLogger(config),
});
app.enableShutdownHooks();
await app.listen(config.port, config.host);
const { port } = app.getHttpServer().address() as AddressInfo;
new Logger('Main').log(`listening on ${webSocketUrl(config, port)}`);
