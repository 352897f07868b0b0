import { closest, distance } from 'fastest-levenshtein';
import { isEmpty, readConfigFile } from './config-file.js';
import { SECRET_KEYS, SETTING_KEYS, type SettingKey } from './settings.js';
import { looksLikeKey } from './tls-files.js';

export const PREFIX = 'POGO_WS_';
/** What names the file is no setting: a file does not name another one. */
const FILE_VARIABLE = `${PREFIX}CONFIG`;
/** What the file may say beside settings. */
const APPS = 'apps';

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
  [
    /^auth_script$/,
    'there is no script runner here: let clients bring a signature, set auth_endpoint, or write an AuthProvider',
  ],
  [/^fanout_/, 'fan-out needs no tuning here: remove it'],
  [/^(?:tls|ssl)_.*key/, `the file with the key is ${PREFIX}TLS_KEY`],
  [/^(?:tls|ssl)_.*(?:cert|crt|chain)/, `the file with the certificate is ${PREFIX}TLS_CERT`],
];

export type Environment = Readonly<Record<string, string | undefined>>;
/** Setting → what the user called it, to name in a message what was written. */
export type SettingNames = ReadonlyMap<SettingKey, string>;

/** What a command line says. */
export interface CommandLineSettings {
  /** Path of the configuration file; over `POGO_WS_CONFIG`. */
  readonly file?: string | undefined;
  readonly settings?: Readonly<Partial<Record<SettingKey, string>>>;
}

export interface Collected {
  readonly values: Partial<Record<SettingKey, unknown>>;
  readonly names: Map<SettingKey, string>;
  /** `apps` of the file, unread, and how the file is called in messages. */
  readonly apps: { readonly value: unknown; readonly name: string } | undefined;
  readonly problems: string[];
}

/** The path of the configuration file, if there is one. */
export function configFilePath(environment: Environment, { file }: CommandLineSettings = {}): string | undefined {
  const path = file ?? environment[FILE_VARIABLE];
  return path === '' ? undefined : path;
}

/** What every source says, the stronger ones over the weaker: command line, environment, file, the names of Reverb. */
export function collect(environment: Environment, commandLine: CommandLineSettings = {}): Collected {
  const values: Partial<Record<SettingKey, unknown>> = {};
  const names = new Map<SettingKey, string>();
  const problems: string[] = [];
  const set = (key: SettingKey, name: string, value: unknown) => {
    // An empty variable is how a shell or a compose file says "not set".
    if (isEmpty(value)) return;
    values[key] = value;
    names.set(key, name);
  };
  for (const [name, key] of Object.entries(REVERB_NAMES)) set(key, name, environment[name]);
  const path = configFilePath(environment, commandLine);
  const { file, problems: unreadable } = path === undefined ? { file: undefined, problems: [] } : readConfigFile(path);
  problems.push(...unreadable);
  for (const [key, value] of Object.entries(file?.entries ?? {})) {
    if (isSettingKey(key)) set(key, `${file?.name}: ${key}`, value);
    else if (key !== APPS) problems.push(`${file?.name}: ${key}: ${unknownKey(key, [...SETTING_KEYS, APPS])}`);
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || name === FILE_VARIABLE) continue;
    const key = name.slice(PREFIX.length).toLowerCase();
    if (isSettingKey(key)) set(key, name, value);
    else problems.push(`${name}: ${unknownKey(key, SETTING_KEYS, inEnvironment)}`);
  }
  for (const [key, value] of Object.entries(commandLine.settings ?? {})) {
    set(key as SettingKey, `--${key.replaceAll('_', '-')}`, value);
  }
  const apps = file?.entries[APPS];
  return {
    values,
    names,
    problems,
    apps: apps === undefined ? undefined : { value: apps, name: `${file?.name}: ${APPS}` },
  };
}

export function isSettingKey(key: string): key is SettingKey {
  return (SETTING_KEYS as readonly string[]).includes(key);
}

/** What the user called a setting, or may call it. */
export function nameOf(key: SettingKey, names: SettingNames): string {
  return names.get(key) ?? inEnvironment(key);
}

/** User and password before a host: of a Redis whose URL was given as its host, as a rule. Either may hold nearly anything. */
const CREDENTIALS = /"([a-z]+:\/\/)?(?:[^"\\]|\\.)*@/gi;

/** A value as a message shows it. */
export function shown(key: string, value: unknown): string {
  if (value === undefined) return '';
  const isSecret = SECRET_KEYS.has(key) || (typeof value === 'string' && looksLikeKey(value));
  return isSecret ? '= <redacted>' : `= ${JSON.stringify(value).replace(CREDENTIALS, '"$1<redacted>@')}`;
}

/** What to say of a key that is none of `known`, which a message calls as `called` says. */
export function unknownKey(key: string, known: readonly string[], called = (name: string) => name): string {
  const pointed = POINTED.find(([pattern]) => pattern.test(key))?.[1];
  if (pointed !== undefined) return pointed;
  const nearest = closest(key, [...known]);
  const isClose = distance(key, nearest) <= Math.max(2, Math.floor(key.length / 3));
  return `there is no such setting${isClose ? `; did you mean ${called(nearest)}?` : ''}`;
}

function inEnvironment(key: string): string {
  return PREFIX + key.toUpperCase();
}
