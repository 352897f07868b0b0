import { isIPv6 } from 'node:net';
import type { Command } from 'commander';
import { CliError, ExitCode, type CliContext } from './context.js';
import { readEnvFile } from './env-file.js';

/** A server and an app of it. */
export interface Target {
  /** `http` or `https`, host, port and path prefix, without a slash at the end. */
  readonly base: string;
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
  readonly timeoutMs: number;
}

export interface TargetOptions {
  readonly url?: string;
  readonly appId?: string;
  readonly key?: string;
  readonly secret?: string;
  readonly envFile?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

/** Where a server listens that can be reached at the loopback address, among others. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** The options that say which server and which app. */
export function withTarget(command: Command): Command {
  return command
    .option('--url <url>', 'where the server is; REVERB_HOST, _PORT and _SCHEME, or this machine')
    .option('--app-id <id>', 'POGO_WS_APP_ID, REVERB_APP_ID or 1')
    .option('--key <key>', 'POGO_WS_APP_KEY or REVERB_APP_KEY')
    .option(
      '--secret <secret>',
      'POGO_WS_APP_SECRET or REVERB_APP_SECRET, which other users of this machine cannot see',
    )
    .option('--env-file <file>', 'takes what is not in the environment from this file, such as a .env of Laravel')
    .option('--timeout <seconds>', 'for each answer', '5')
    .option('--json', 'print JSON');
}

/** @throws CliError when something is missing. @param url given as an argument. */
export function targetOf(options: TargetOptions, context: CliContext, url = options.url): Target {
  const find = finder(options, context);
  const key = options.key ?? find('POGO_WS_APP_KEY', 'REVERB_APP_KEY');
  const secret = options.secret ?? find('POGO_WS_APP_SECRET', 'REVERB_APP_SECRET');
  const timeoutMs = Number(options.timeout) * 1_000;
  if (key === undefined) throw usage('which app? Give --key, or set POGO_WS_APP_KEY or REVERB_APP_KEY');
  if (secret === undefined) throw usage('which secret? Set POGO_WS_APP_SECRET or REVERB_APP_SECRET, or give --secret');
  if (!(timeoutMs > 0 && timeoutMs <= 600_000)) throw usage('--timeout must be seconds, more than 0 and at most 600');
  const appId = options.appId ?? find('POGO_WS_APP_ID', 'REVERB_APP_ID') ?? '1';
  return { base: baseOf(url ?? urlOf(find)), appId, key, secret, timeoutMs };
}

/** Looks into the environment, and into the file that the options name. */
export function finder({ envFile }: Pick<TargetOptions, 'envFile'>, { environment }: CliContext): Find {
  const all = { ...readEnvFile(envFile, environment), ...environment };
  return (...names) => names.map((name) => all[name]).find((value) => value !== undefined && value !== '');
}

/** Accepts what people paste: ws, wss, http and https, with or without `/app/{key}`, or a host alone. */
export function baseOf(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(/^ws(s?):/i, 'http$1:'));
  } catch {
    throw usage(`${JSON.stringify(text)} is no URL: https://host, or http://host:port`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usage(`${url.protocol}// is none of http, https, ws and wss`);
  const path = url.pathname.replace(/\/apps?(?:\/.*)?$/, '').replace(/\/+$/, '');
  return `${url.protocol}//${url.host}${path}`;
}

/** The first of the variables that says something: an empty one does not. */
type Find = (...names: string[]) => string | undefined;

function urlOf(find: Find): string {
  const path = `/${(find('POGO_WS_PATH_PREFIX', 'REVERB_SERVER_PATH') ?? '').replace(/^\/+/, '')}`;
  const host = find('REVERB_HOST');
  if (host !== undefined) {
    const port = find('REVERB_PORT');
    return `${find('REVERB_SCHEME') ?? 'http'}://${inUrl(host)}${port === undefined ? '' : `:${port}`}${path}`;
  }
  const listens = find('POGO_WS_HOST', 'REVERB_SERVER_HOST');
  const own = listens === undefined || EVERY_ADDRESS.has(listens) ? '127.0.0.1' : listens;
  const port = find('POGO_WS_PORT', 'REVERB_SERVER_PORT') ?? '8080';
  return `${find('POGO_WS_TLS_CERT') === undefined ? 'http' : 'https'}://${inUrl(own)}:${port}${path}`;
}

/** An IPv6 address stands in brackets there. */
function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function usage(message: string): CliError {
  return new CliError(message, ExitCode.usage);
}
