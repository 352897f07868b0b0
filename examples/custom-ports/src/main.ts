import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { createGateway, GatewayLogger, loadConfig, webSocketUrl } from 'pogo-gateway';
import { AppModule } from './app.module.js';

const config = loadConfig(process.env);
const app = await createGateway(AppModule.forRoot(config), { tls: config.tls, logger: new GatewayLogger(config) });
app.enableShutdownHooks();
await app.listen(config.port, config.host);
const { port } = app.getHttpServer().address() as AddressInfo;
new Logger('Main').log(`listening on ${webSocketUrl(config, port)}`);
