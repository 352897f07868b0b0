import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { App } from '@pogo/hub';
import type { GatewayConfig } from './config/gateway-config.js';
import { Redactor } from './redact.js';

const LEVELS: Record<GatewayConfig['log']['level'], LogLevel[]> = {
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'],
};

/** What Nest says about itself while it boots: of interest to somebody who debugs it. */
const NEST_INTERNALS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
  'NestApplication',
  'NestMicroservice',
]);

/** The value of a header that is shorter stands in many a word that is no secret. */
const SHORTEST_TOKEN = 8;

type LoggedConfig = Pick<GatewayConfig, 'log' | 'apps'> & Partial<Pick<GatewayConfig, 'redis' | 'commands'>>;

/** Its own, those of its webhooks, and the headers that these send: tokens, as a rule. */
function secretsOf({ secret, webhooks }: App): string[] {
  const headers = webhooks.flatMap((webhook) => Object.values(webhook.headers));
  const others = webhooks.map((webhook) => webhook.secret).filter((text) => text !== undefined);
  return [secret, ...others, ...headers.filter((value) => value.length >= SHORTEST_TOKEN)];
}

/** Nest's console logger, in JSON unless somebody is watching, with secrets taken out of everything it prints. */
export class GatewayLogger extends ConsoleLogger {
  private readonly credentials: Redactor;

  constructor({ log, apps, redis, commands }: LoggedConfig) {
    const isTerminal = process.stdout.isTTY === true;
    const isJson = (log.format ?? (isTerminal ? 'pretty' : 'json')) === 'json';
    super({ json: isJson, colors: !isJson && isTerminal, logLevels: LEVELS[log.level] });
    const others = [redis?.password, redis?.sentinelPassword, commands?.secret].filter(
      (secret) => secret !== undefined,
    );
    this.credentials = new Redactor([...apps.flatMap(secretsOf), ...others]);
  }

  /** Takes the secrets of these apps out of what it prints as well. */
  learn(apps: readonly App[]): void {
    this.credentials.add(apps.flatMap(secretsOf));
  }

  protected override printMessages(...[messages, ...rest]: Parameters<ConsoleLogger['printMessages']>): void {
    const [context, logLevel, stream, stack, params] = rest;
    if (logLevel === 'log' && NEST_INTERNALS.has(context ?? '') && !this.isLevelEnabled('debug')) return;
    super.printMessages(
      messages.map((message) => this.credentials.clean(message)),
      context,
      logLevel,
      stream,
      this.credentials.clean(stack),
      this.credentials.clean(params) as typeof params,
    );
  }

  /** @param stack undefined when an error was logged without one; Nest calls this all the same. */
  protected override printStackTrace(stack: string | undefined): void {
    if (stack !== undefined) super.printStackTrace(this.credentials.cleanText(stack));
  }
}
