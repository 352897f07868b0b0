import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { GatewayConfig } from './config/gateway-config.js';

const LEVELS: Record<GatewayConfig['log']['level'], LogLevel[]> = {
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'],
};

/** What must not be in a log wherever it comes from: signatures, and the headers that carry credentials. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/(auth_signature=)[^&\s"']+/gi, '$1<redacted>'],
  [/("?auth"?\s*[:=]\s*"?)[^"\s,}]*:[0-9a-f]{16,}/gi, '$1<redacted>'],
  [/((?:proxy-)?authorization|cookie)("?\s*[:=]\s*"?)[^"\r\n]+/gi, '$1$2<redacted>'],
];

/** What Nest says about itself while it boots: of interest to somebody who debugs it. */
const NEST_INTERNALS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
  'NestApplication',
]);

/** Nest's console logger, in JSON unless somebody is watching, with secrets taken out of everything it prints. */
export class GatewayLogger extends ConsoleLogger {
  private readonly secrets: readonly string[];

  constructor({ log, apps }: Pick<GatewayConfig, 'log' | 'apps'>) {
    const isJson = (log.format ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'json';
    super({ json: isJson, colors: !isJson && process.stdout.isTTY, logLevels: LEVELS[log.level] });
    this.secrets = apps.map(({ secret }) => secret);
  }

  protected override printMessages(...[messages, ...rest]: Parameters<ConsoleLogger['printMessages']>): void {
    const [context, logLevel, stream, stack, params] = rest;
    if (logLevel === 'log' && NEST_INTERNALS.has(context ?? '') && !this.isLevelEnabled('debug')) return;
    super.printMessages(
      messages.map((message) => this.clean(message)),
      context,
      logLevel,
      stream,
      this.clean(stack),
      this.clean(params) as typeof params,
    );
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(this.cleanText(stack));
  }

  private clean(value: unknown): unknown {
    if (typeof value === 'string') return this.cleanText(value);
    if (value instanceof Error) return this.cleanText(value.stack ?? value.message);
    if (typeof value !== 'object' || value === null) return value;
    try {
      return JSON.parse(this.cleanText(JSON.stringify(value))) as unknown;
    } catch {
      // It cannot be printed as JSON, so it cannot be checked either.
      return '<redacted>';
    }
  }

  private cleanText(text: string): string {
    const withoutSecrets = this.secrets.reduce((left, secret) => left.replaceAll(secret, '<redacted>'), text);
    return CREDENTIALS.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), withoutSecrets);
  }
}
