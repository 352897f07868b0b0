import { APP_ID, parseAllowedOrigins, TrustedProxies } from '@pogo/hub';
import { closest, distance } from 'fastest-levenshtein';
import { LOOPBACK_HOSTS, toGatewayConfig, type ConfigExtras, type GatewayConfig } from './gateway-config.js';
import { redisProblems } from './redis-settings.js';
import { SECRET_KEYS, SETTING_KEYS, settingsSchema, type SettingKey, type Settings } from './settings.js';
import { inspectTls, looksLikeKey } from './tls-files.js';

const PREFIX = 'POGO_WS_';

/** Names that Laravel Reverb reads, so that an .env of a Reverb application works as it is. Lowest precedence. */
const REVERB_NAMES: Readonly<Record<string, SettingKey>> = {
  REVERB_SERVER_HOST: 'host',
  REVERB_SERVER_PORT: 'port',
  REVERB_SERVER_PATH: 'path_prefix',
  REVERB_APP_ID: 'app_id',
  REVERB_APP_KEY: 'app_key',
  REVERB_APP_SECRET: 'app_secret',
  // Applications in PHP read it as well, to check what they are sent.
  POGO_WEBHOOK_SECRET: 'webhook_secret',
};

/** What is no setting, but was meant as one: of the Go module, or of other servers. */
const POINTED: readonly (readonly [RegExp, string])[] = [
  [/^auth_script$/, 'there is no script runner here: set up an AuthProvider, or let clients bring a signature'],
  [/^fanout_/, 'fan-out needs no tuning here: remove it'],
  [/^(?:tls|ssl)_.*key/, `the file with the key is ${PREFIX}TLS_KEY`],
  [/^(?:tls|ssl)_.*(?:cert|crt|chain)/, `the file with the certificate is ${PREFIX}TLS_CERT`],
];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every mistake in the configuration, one line each, secrets redacted. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * The configuration in the environment, by default the process's: `POGO_WS_*` over `REVERB_*` over the defaults.
 * @throws ConfigError with all mistakes at once.
 */
export function loadConfig(environment: Environment = process.env, extras: ConfigExtras = {}): GatewayConfig {
  const { values, names, problems } = collect(environment);
  const valid: Partial<Settings> = {};
  // Setting by setting: one that is wrong must not hide what is wrong between others.
  for (const key of SETTING_KEYS) {
    const parsed = settingsSchema.shape[key].safeParse(values[key]);
    if (parsed.success) Object.assign(valid, { [key]: parsed.data });
    for (const { message } of parsed.error?.issues ?? []) {
      problems.push(`${names.get(key) ?? key} ${shown(key, values[key])}: ${message}`);
    }
  }
  const tls = inspectTls(valid.tls_cert, valid.tls_key);
  for (const { setting, sentence } of tls.problems) {
    problems.push(`${names.get(setting) ?? setting} ${shown(setting, values[setting])}: ${sentence}`);
  }
  problems.push(...contradictions(valid, names, environment, extras));
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    return toGatewayConfig(settingsSchema.parse(values), extras, tls.pair);
  } catch (error) {
    throw error instanceof TypeError ? new ConfigError([error.message]) : error;
  }
}

interface Collected {
  readonly values: Partial<Record<SettingKey, string>>;
  /** Setting → the variable that set it, to name in a message what the user wrote. */
  readonly names: Map<SettingKey, string>;
  readonly problems: string[];
}

function collect(environment: Environment): Collected {
  const values: Partial<Record<SettingKey, string>> = {};
  const names = new Map<SettingKey, string>();
  const problems: string[] = [];
  const set = (key: SettingKey, name: string, value: string | undefined) => {
    // An empty variable is how a shell or a compose file says "not set".
    if (value === undefined || value === '') return;
    values[key] = value;
    names.set(key, name);
  };
  for (const [name, key] of Object.entries(REVERB_NAMES)) set(key, name, environment[name]);
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX)) continue;
    const key = name.slice(PREFIX.length).toLowerCase();
    if (isSettingKey(key)) set(key, name, value);
    else problems.push(`${name}: ${unknownKey(key)}`);
  }
  return { values, names, problems };
}

function isSettingKey(key: string): key is SettingKey {
  return (SETTING_KEYS as readonly string[]).includes(key);
}

function unknownKey(key: string): string {
  const pointed = POINTED.find(([pattern]) => pattern.test(key))?.[1];
  if (pointed !== undefined) return pointed;
  const nearest = closest(key, SETTING_KEYS);
  const isClose = distance(key, nearest) <= Math.max(2, Math.floor(key.length / 3));
  return `there is no such setting${isClose ? `; did you mean ${PREFIX}${nearest.toUpperCase()}?` : ''}`;
}

/** What is wrong although every value by itself is right. `settings` are those that are right. */
function contradictions(
  settings: Partial<Settings>,
  names: ReadonlyMap<SettingKey, string>,
  environment: Environment,
  extras: ConfigExtras,
): string[] {
  const problems: string[] = [];
  const name = (key: SettingKey) => nameOf(key, names);
  const { app_id: id, ping_period: pingPeriod, pong_wait: pongWait } = settings;
  const [hasKey, hasSecret] = [names.has('app_key'), names.has('app_secret')];
  problems.push(...halves('app_key', 'app_secret', names), ...halves('tls_cert', 'tls_key', names));
  if (id !== undefined && !hasKey && !hasSecret) {
    problems.push(`${name('app_id')} needs ${name('app_key')} and ${name('app_secret')} as well`);
  }
  if (id !== undefined && !APP_ID.test(id)) {
    problems.push(`${name('app_id')} ${shown('app_id', id)}: must be 1 to 64 letters, digits, - or _`);
  }
  if (pingPeriod !== undefined && pongWait !== undefined && pingPeriod >= pongWait) {
    problems.push(`${name('ping_period')} must be shorter than ${name('pong_wait')} (${pongWait}ms)`);
  }
  problems.push(...redisProblems((key) => names.has(key), settings).map((problem) => inUsersWords(problem, names)));
  if (names.has('command_port') && !names.has('command_secret')) {
    problems.push(`${name('command_port')} needs ${name('command_secret')} as well`);
  }
  problems.push(
    ...wrongEntries(name('allowed_origins'), settings.allowed_origins, (entry) => parseAllowedOrigins([entry])),
    ...wrongEntries(name('trusted_proxies'), settings.trusted_proxies, (entry) => new TrustedProxies([entry])),
  );
  const apps = [...(hasKey ? [{ id: id ?? '1', key: settings.app_key }] : []), ...(extras.apps ?? [])];
  problems.push(...repeated('id', apps), ...repeated('key', apps));
  if (apps.length === 0 && !hasSecret && extras.hasAppProvider !== true) {
    problems.push(...refusedWithoutApp(names.has('host') ? settings.host : undefined, environment));
  }
  return problems;
}

/** Every entry that `parse` throws at. */
function wrongEntries(name: string, entries: readonly string[] = [], parse: (entry: string) => unknown): string[] {
  return entries.flatMap((entry) => {
    try {
      parse(entry);
      return [];
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

/** What the user called a setting, or may call it. */
function nameOf(key: SettingKey, names: ReadonlyMap<SettingKey, string>): string {
  return names.get(key) ?? PREFIX + key.toUpperCase();
}

function inUsersWords(problem: string, names: ReadonlyMap<SettingKey, string>): string {
  return problem.replace(/\bredis_[a-z]+\b/g, (key) => nameOf(key as SettingKey, names));
}

/** Two settings of which one is nothing without the other. */
function halves(one: SettingKey, other: SettingKey, names: ReadonlyMap<SettingKey, string>): string[] {
  if (names.has(one) === names.has(other)) return [];
  const [present, missing] = names.has(one) ? [one, other] : [other, one];
  return [`${nameOf(present, names)} needs ${nameOf(missing, names)} as well`];
}

type AppNames = Readonly<Record<'id' | 'key', string | undefined>>;

function repeated(field: 'id' | 'key', apps: readonly AppNames[]): string[] {
  const values = apps.map((app) => app[field]).filter((value) => value !== undefined);
  const twice = new Set(values.filter((value, i) => values.indexOf(value) !== i));
  return [...twice].map((value) => `two apps have the ${field} ${JSON.stringify(value)}`);
}

/** A server that makes up its own secret is for one developer's machine. */
function refusedWithoutApp(host: string | undefined, environment: Environment): string[] {
  const advice = `set ${PREFIX}APP_ID, ${PREFIX}APP_KEY and ${PREFIX}APP_SECRET`;
  if (environment['NODE_ENV'] === 'production') return [`no app is configured: ${advice}`];
  if (host !== undefined && !LOOPBACK_HOSTS.has(host)) {
    return [`no app is configured, and without one only loopback is served, not ${host}: ${advice}`];
  }
  return [];
}

function shown(key: SettingKey, value: string | undefined): string {
  if (value === undefined) return '';
  return SECRET_KEYS.has(key) || looksLikeKey(value) ? '= <redacted>' : `= ${JSON.stringify(value)}`;
}
