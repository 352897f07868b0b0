// The gateway as `npm start` boots it, plus two messages to the process that started it: the port once it is ready, which is when
// GET /ready says so, and the hub's counters whenever it is asked for them.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppModule, createGateway, GatewayLogger, loadConfig } from '../../dist/apps/gateway/src/index.js';
import { HubService } from '../../dist/libs/hub/src/index.js';

const config = loadConfig(process.env);
const app = await createGateway(AppModule.forRoot(config), { logger: new GatewayLogger(config), tls: config.tls });
const hub = app.get(HubService);

process.on('message', () => process.send({ counters: hub.counters() }));
process.on('disconnect', () => process.exit(0));

await app.listen(config.port, config.host);
// Whoever started it may have gone meanwhile, and the Redis with them.
while (process.connected && !hub.isReady) await sleep(10);
process.send({ port: app.getHttpServer().address().port });
