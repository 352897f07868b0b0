import { APP_ID, parseAllowedOrigins, TrustedProxies } from '@pogo/hub';
import { LOOPBACK_HOSTS, type ConfigExtras } from './gateway-config.js';
import { redisProblems } from './redis-settings.js';
import { nameOf, PREFIX, shown, type Environment, type SettingNames } from './setting-sources.js';
import type { SettingKey, Settings } from './settings.js';

/** What is wrong although every value by itself is right. `settings` are those that are right. */
export function contradictions(
  settings: Partial<Settings>,
  names: SettingNames,
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

function inUsersWords(problem: string, names: SettingNames): string {
  return problem.replace(/\bredis_[a-z_]+\b/g, (key) => nameOf(key as SettingKey, names));
}

/** Two settings of which one is nothing without the other. */
function halves(one: SettingKey, other: SettingKey, names: SettingNames): string[] {
  if (names.has(one) === names.has(other)) return [];
  const [present, missing] = names.has(one) ? [one, other] : [other, one];
  return [`${nameOf(present, names)} needs ${nameOf(missing, names)} as well`];
}

type AppNames = Readonly<Record<'id' | 'key', string | undefined>>;

function repeated(field: 'id' | 'key', apps: readonly AppNames[]): string[] {
  const values = apps.map((app) => app[field]).filter((value) => value !== undefined);
  const seen = new Set<string>();
  // There may be tens of thousands, and clients wait meanwhile.
  const twice = new Set(values.filter((value) => seen.size === seen.add(value).size));
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
