import { parseApps } from './app-entries.js';
import { ConfigError } from './config-error.js';
import { stampAt } from './config-file.js';
import { contradictions } from './contradictions.js';
import { toGatewayConfig, type ConfigExtras, type GatewayConfig } from './gateway-config.js';
import {
  collect,
  configFilePath,
  nameOf,
  shown,
  type CommandLineSettings,
  type Environment,
} from './setting-sources.js';
import { SETTING_KEYS, settingsSchema, type Settings } from './settings.js';
import { inspectTls } from './tls-files.js';

export { ConfigError } from './config-error.js';
export type { CommandLineSettings, Environment } from './setting-sources.js';

/** A configuration, and what it was made of. */
export interface LoadedConfig {
  readonly config: GatewayConfig;
  /** All settings as they are in force, typed. */
  readonly settings: Settings;
  /** Setting → who said so; the others have their defaults. */
  readonly names: ReadonlyMap<string, string>;
}

/** What the process was started with. */
export function startEnvironment(): Environment {
  return process.env;
}

/**
 * The configuration in the environment, by default the process's: `POGO_WS_*` over the file that `POGO_WS_CONFIG` names
 * over `REVERB_*` over the defaults.
 * @throws ConfigError with all mistakes at once.
 */
export function loadConfig(environment: Environment = process.env, extras: ConfigExtras = {}): GatewayConfig {
  return explainConfig(environment, {}, extras).config;
}

/** As {@link loadConfig}, with a command line over all, and what it was made of. @throws ConfigError */
export function explainConfig(
  environment: Environment = process.env,
  commandLine: CommandLineSettings = {},
  extras: ConfigExtras = {},
): LoadedConfig {
  const path = configFilePath(environment, commandLine);
  const stamp = path === undefined ? undefined : stampAt(path);
  const { values, names, problems, apps } = collect(environment, commandLine);
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
    problems.push(`${nameOf(setting, names)} ${shown(setting, values[setting])}: ${sentence}`);
  }
  const entries = apps === undefined ? { apps: [], problems: [] } : parseApps(apps.value, apps.name, valid);
  problems.push(...entries.problems);
  const all = { ...extras, apps: [...(extras.apps ?? []), ...entries.apps] };
  problems.push(...contradictions(valid, names, environment, all));
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    const settings = settingsSchema.parse(values);
    const config = toGatewayConfig(settings, all, tls.pair);
    // The environment of a process may change; what it was at the start counts.
    const start = { ...environment };
    const read = () => explainConfig(start, commandLine, extras);
    const source = path === undefined ? undefined : { path, stamp, settings, read };
    return { config: { ...config, source }, settings, names };
  } catch (error) {
    throw error instanceof TypeError ? new ConfigError([error.message]) : error;
  }
}
