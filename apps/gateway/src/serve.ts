import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger, type INestApplication } from '@nestjs/common';
import { AppModule } from './app.module.js';
import { AppReload } from './app-reload.js';
import { ConfigError, explainConfig, type CommandLineSettings, type Environment } from './config/load-config.js';
import { diagnose } from './diagnostics.js';
import { createGateway } from './create-gateway.js';
import { noLongerAtOnce } from './early-signals.js';
import { GatewayLogger } from './gateway-logger.js';
import { watchTerminal } from './terminal.js';
import { reloadCertificate } from './tls.js';
import { webSocketUrl, welcome } from './welcome.js';

/** sysexits.h: something is wrong with the configuration. */
const EX_CONFIG = 78;

/**
 * Runs the standalone server until a signal ends the process. Ends it with 78 when the configuration has mistakes, with 1
 * when it cannot start, and says why on stderr.
 */
export async function serve(read: () => readonly [Environment, CommandLineSettings]): Promise<void> {
  try {
    await start(...read());
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(EX_CONFIG);
    }
    const hint = HINTS[(error as NodeJS.ErrnoException).code ?? ''];
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Pogo Gateway could not start: ${message}${hint === undefined ? '' : ` (${hint})`}\n`);
    process.exit(1);
  }
}

async function start(environment: Environment, commandLine: CommandLineSettings): Promise<void> {
  const { config } = explainConfig(environment, commandLine);
  const logger = new GatewayLogger(config);
  const app = await createGateway(AppModule.forRoot(config), { logger, tls: config.tls });
  app.get(AppReload).onReload((apps) => logger.learn(apps));
  const hasHungUp = noLongerAtOnce();
  const end = endOnSignal(app, config.shutdownTimeoutMs);
  reloadOnHangUp(app, end);
  if (hasHungUp) reload(app);
  await app.listen(config.port, config.host);
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  if (process.stdout.isTTY) process.stdout.write(welcome(config, port));
  else new Logger('Gateway').log(`listening on ${webSocketUrl(config, port)}`);
  const gateway = new Logger('Gateway');
  if (config.unixSocket !== undefined) gateway.log(`listening on ${config.unixSocket} as well`);
  for (const sentence of diagnose(config, port, environment)) gateway.warn(sentence);
}

/** One Ctrl-C is several signals: to everything in the terminal, and handed on once more by npm and by the Nest CLI. */
const SAME_SIGNAL_MS = 500;

/**
 * The first signal drains and exits 0 within the shutdown time, whatever hangs; a second one exits at once.
 * @returns what such a signal does.
 */
function endOnSignal(app: INestApplication, shutdownTimeoutMs: number): () => void {
  let endingSince: number | undefined;
  const end = () => {
    if (endingSince !== undefined) {
      if (performance.now() - endingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    endingSince = performance.now();
    setTimeout(() => process.exit(0), shutdownTimeoutMs).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        new Logger('Gateway').error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return end;
}

/** SIGHUP reads the certificate and the apps again, where there are files; but who closes the terminal closes the server in it. */
function reloadOnHangUp(app: INestApplication, end: () => void): void {
  const isTerminalGone = watchTerminal();
  process.on('SIGHUP', () => {
    if (isTerminalGone()) return end();
    reload(app);
  });
}

function reload(app: INestApplication): void {
  reloadCertificate(app);
  app.get(AppReload).reload();
}

const ADDRESSES = 'POGO_WS_HOST and POGO_WS_METRICS_HOST must be addresses of this machine';

/** What somebody can do when the server could not start, by the code of the error. */
const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is another server running? POGO_WS_PORT and POGO_WS_METRICS_PORT choose other ports',
  EACCES:
    'ports below 1024 need a privilege, a Unix socket the right to write into its folder: choose others with POGO_WS_PORT, POGO_WS_METRICS_PORT or POGO_WS_UNIX_SOCKET, or give the process the right',
  EADDRNOTAVAIL: ADDRESSES,
  ENOTFOUND: ADDRESSES,
};
