import { settingsSchema } from '../../apps/gateway/src/config/settings.js';

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from apps/gateway/src/config/settings.ts: change it there. -->

Settings come from the environment, once, at start; SIGHUP makes the files of \`tls_cert\` and \`tls_key\` be read again
([tls.md](tls.md)). The setting \`max_event_bytes\` is the variable
\`POGO_WS_MAX_EVENT_BYTES\`. An empty variable counts as not set.

- Durations: \`500ms\`, \`10s\`, \`5m\`, \`1h\`. Sizes: \`65536\`, \`64KiB\`, \`2MiB\`. Lists: comma-separated.
  Flags: \`1\`, \`true\` or \`on\`, and \`0\`, \`false\` or \`off\`.
- A rate of 0 means the default, a negative one "off".
- A mistake ends the start with exit code 78 and a sentence that names the variable and what would be right. Secrets are
  never shown. A variable \`POGO_WS_*\` that is no setting is a mistake too.

These names of Laravel Reverb work as well, and \`POGO_WS_*\` wins over them: \`REVERB_SERVER_HOST\`, \`REVERB_SERVER_PORT\`,
\`REVERB_SERVER_PATH\`, \`REVERB_APP_ID\`, \`REVERB_APP_KEY\`, \`REVERB_APP_SECRET\`.

With no app configured and \`NODE_ENV\` other than \`production\`, the server makes one up: id \`1\`, key \`pogo-key\`, a new
secret at every start. It listens on loopback only then. In production, or with another host asked for, it refuses to
start without an app. Key and secret go together; without \`app_id\` the id is \`1\`.

`;

type Field = (typeof settingsSchema.shape)[keyof typeof settingsSchema.shape];

/** docs/configuration.md as it should be: one row for each setting. */
export function configurationPage(): string {
  const rows = Object.entries(settingsSchema.shape).map(([key, field]) => [
    `\`${key}\``,
    defaultOf(field),
    (field.description ?? '').replaceAll('|', '\\|'),
  ]);
  return `${INTRODUCTION}${table(['Setting', 'Default', 'Meaning'], rows)}`;
}

/** The default as somebody would write it. */
function defaultOf(field: Field): string {
  const value: unknown = field.parse(undefined);
  if (Array.isArray(value) && value.length === 0) return 'all';
  if (value === undefined || value === '') return accepts(field, '-1') && !accepts(field, 'text') ? 'off' : '–';
  if (typeof value !== 'number') return String(value);
  // What takes a unit is shown with one.
  if (accepts(field, '1000s')) return duration(value);
  return accepts(field, '1KiB') ? size(value) : String(value);
}

function accepts(field: Field, text: string): boolean {
  return field.safeParse(text).success;
}

function duration(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function size(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576}MiB`;
  return bytes % 1_024 === 0 ? `${bytes / 1_024}KiB` : String(bytes);
}

/** A Markdown table whose columns line up, as prettier writes it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}
