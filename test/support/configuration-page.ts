import { APP_KEYS, WEBHOOK_KEYS } from '../../apps/gateway/src/config/app-entries.js';
import { shownDefault } from '../../apps/gateway/src/config/setting-text.js';
import { settingsSchema, type SettingKey } from '../../apps/gateway/src/config/settings.js';

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from apps/gateway/src/config/settings.ts: change it there. -->

One typed configuration, read at start. A setting can be said in four places, and the first wins:

@SOURCES@
\`pogo config check\` says whether all is right, \`pogo config print\` what is in force and who said so. An empty variable counts as not
set. SIGHUP makes the apps of the file, and the files of \`tls_cert\` and \`tls_key\` ([tls.md](tls.md)), be read again.

- Durations: \`500ms\`, \`10s\`, \`5m\`, \`1h\`. Sizes: \`65536\`, \`64KiB\`, \`2MiB\`. Lists: comma-separated.
  Flags: \`1\`, \`true\` or \`on\`, and \`0\`, \`false\` or \`off\`.
- A rate of 0 means the default, a negative one "off".
- A mistake ends the start with exit code 78 and a sentence that names the variable and what would be right. Secrets are
  never shown. A variable \`POGO_WS_*\`, an option, or a line of the file that is no setting is a mistake too.
- Secrets cannot be options: everybody on the machine can read a command line.

These names of Laravel Reverb work as well, and \`POGO_WS_*\` wins over them: \`REVERB_SERVER_HOST\`, \`REVERB_SERVER_PORT\`,
\`REVERB_SERVER_PATH\`, \`REVERB_APP_ID\`, \`REVERB_APP_KEY\`, \`REVERB_APP_SECRET\`.

With no app configured and \`NODE_ENV\` other than \`production\`, the server makes one up: id \`1\`, key \`pogo-key\`, a new
secret at every start. It listens on loopback only then. In production, or with another host asked for, it refuses to
start without an app. Key and secret go together; without \`app_id\` the id is \`1\`.

`;

const SOURCES = [
  ['command line', '`--max-event-bytes 65536`'],
  ['environment', '`POGO_WS_MAX_EVENT_BYTES=65536`'],
  ['file, see [below](#the-file)', '`max_event_bytes: 65536`'],
  ['names of Laravel Reverb', 'a few, see below'],
];

const THE_FILE = `## The file

\`POGO_WS_CONFIG=/etc/pogo/pogo.yaml\`, or \`--config /etc/pogo/pogo.yaml\`: YAML or JSON, at most 16 MiB, with any of the settings above and
\`apps\`, which are beside the one that the environment names.

\`\`\`yaml
port: 8080
redis_url: redis://redis.internal:6379
trusted_proxies: [10.0.0.0/8]
apps:
  - id: shop
    key: shop-key
    secret: the-secret-of-the-shop
    allowed_origins: ['https://shop.example']
    webhooks:
      - url: https://shop.example/hooks/pogo
        events: [channel_occupied, channel_vacated]
  - id: blog
    key: blog-key
    secret: the-secret-of-the-blog
    max_connections: 500
\`\`\`

A text keeps what it is written as: a secret \`0010\` needs no quotes. \`apps\` are read again when the file has changed and stays as it is for a second (it
is looked at once a second, through links as well), and on SIGHUP. Connections stay; those of an app that is removed or disabled are closed with 4001 or 4003, and what has changed
is in force for the others at once. A file with a mistake changes nothing and is logged with line and column. Settings that apps have
change with them, for those that do not say otherwise; other settings wait for the next start, which is logged as well.

`;

const WEBHOOKS = `Each entry of \`webhooks\`:

`;

/** Keys of an app that are no settings of the server. */
const APP_MEANINGS: Readonly<Record<string, string>> = {
  id: '1 to 64 letters, digits, - or _; in URLs of the HTTP API',
  key: 'what clients connect with',
  secret: 'signs subscriptions, requests and webhooks',
  enabled: 'off: clients are refused and closed with 4003, publishes with 404; on by default',
  max_connections: 'in the cluster, approximately; no limit by default',
  webhooks: 'a list; the one of the environment by default',
};

const WEBHOOK_MEANINGS: Readonly<Record<string, string>> = {
  url: 'http or https',
  secret: 'signs instead of the app’s; official libraries validate with the app’s',
  events: 'names of those that are told; all by default',
  channel_prefix: 'only channels whose name begins so',
  headers: 'a map, sent with each; not `X-Pusher-*` and not `Content-Type`',
};

function appRows(): string[][] {
  return APP_KEYS.map((key) => {
    const meaning = APP_MEANINGS[key];
    if (meaning === undefined && !(key in settingsSchema.shape)) throw new Error(`what does ${key} of an app mean?`);
    return [`\`${key}\``, meaning ?? 'as the setting, which is what it is by default'];
  });
}

function keyRows(keys: readonly string[], meanings: Readonly<Record<string, string>>): string[][] {
  return keys.map((key) => {
    const meaning = meanings[key];
    if (meaning === undefined) throw new Error(`what does ${key} of a webhook mean?`);
    return [`\`${key}\``, meaning];
  });
}

/** docs/configuration.md as it should be: one row for each setting. */
export function configurationPage(): string {
  const rows = Object.entries(settingsSchema.shape).map(([key, field]) => [
    `\`${key}\``,
    defaultOf(key as SettingKey),
    (field.description ?? '').replaceAll('|', '\\|'),
  ]);
  return `${INTRODUCTION.replace('@SOURCES@', table(['Where', 'The setting `max_event_bytes`'], SOURCES))}## Settings

${table(['Setting', 'Default', 'Meaning'], rows)}
${THE_FILE}${table(['Key of an app', 'Meaning'], appRows())}
${WEBHOOKS}${table(['Key of a webhook', 'Meaning'], keyRows(WEBHOOK_KEYS, WEBHOOK_MEANINGS))}`;
}

/** The default as somebody would write it. */
function defaultOf(key: SettingKey): string {
  const value = shownDefault(key);
  if (key === 'allowed_origins') return 'all';
  if (key === 'trusted_proxies') return 'none';
  return value === '' ? '–' : value;
}

/** A Markdown table whose columns line up, as prettier writes it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}
