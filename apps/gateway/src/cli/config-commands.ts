import { Option, type Command } from 'commander';
import { optionName, parseCommandLine } from '../config/command-line.js';
import { explainConfig, type CommandLineSettings, type Environment } from '../config/load-config.js';
import { shownDefault, shownValue } from '../config/setting-text.js';
import { SECRET_KEYS, SETTING_KEYS, settingsSchema } from '../config/settings.js';
import { print, type CliContext } from './context.js';
import { readEnvFile } from './env-file.js';

const REDACTED = '<redacted>';
const DEFAULT = 'default';
/** Options that are no settings. */
const OWN: ReadonlySet<string> = new Set(['json', 'envFile']);

/** `start`, `config check` and `config print`: they read the same command line. */
export function addConfigCommands(program: Command, context: CliContext): void {
  withSettings(program.command('start').description('start the server')).action(async (_options, command: Command) => {
    // Nest and everything below it is loaded for this command only.
    const { serve } = await import('../serve.js');
    await serve(() => [environmentOf(command, context), commandLineOf(command)]);
    // Until a signal ends the process.
    await new Promise<never>(() => undefined);
  });
  const config = program.command('config').description('look at the configuration without starting');
  withSettings(config.command('check').description('say everything that is wrong, or that nothing is'))
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const { config: loaded } = load(command, context);
      const apps = loaded.apps.map(({ id }) => id);
      const host = loaded.host.includes(':') ? `[${loaded.host}]` : loaded.host;
      const listens = `${host}:${loaded.port}${loaded.pathPrefix}`;
      const text = loaded.isDevelopmentApp
        ? 'The configuration is valid. No app is configured: the server would make one up, for development.'
        : `The configuration is valid: ${apps.length === 1 ? 'app' : 'apps'} ${apps.join(', ')} on ${listens}.`;
      print(context, json, { ok: true, apps: loaded.isDevelopmentApp ? [] : apps, listens }, () => text);
    });
  withSettings(config.command('print').description('print every setting that is in force, and who said so'))
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const { config: loaded, settings, names } = load(command, context);
      const rows = SETTING_KEYS.map((setting) => ({
        setting,
        value:
          SECRET_KEYS.has(setting) && settings[setting] !== undefined
            ? REDACTED
            : shownValue(setting, settings[setting]),
        source: names.get(setting) ?? DEFAULT,
      }));
      const apps = loaded.apps.map(({ id, key, enabled, webhooks }) => {
        return { id, key, secret: REDACTED, enabled, webhooks: webhooks.map(({ url }) => url) };
      });
      print(context, json, { settings: rows, apps: loaded.isDevelopmentApp ? [] : apps }, () => {
        const lines = rows.map(
          ({ setting, value, source }) => `${setting} = ${value}${source === DEFAULT ? '' : `    # ${source}`}`,
        );
        const ids = apps.map(({ id, key, enabled }) => `app ${id}: key ${key}${enabled ? '' : ', disabled'}`);
        return [...lines, ...(loaded.isDevelopmentApp ? [] : ids)].join('\n');
      });
    });
}

function load(command: Command, context: CliContext): ReturnType<typeof explainConfig> {
  return explainConfig(environmentOf(command, context), commandLineOf(command));
}

/** That of the process, over what the file says. */
function environmentOf(command: Command, { environment }: CliContext): Environment {
  return { ...readEnvFile(command.opts<{ envFile?: string }>().envFile, environment), ...environment };
}

/** Every setting but secrets is an option, which the configuration's own parser reads: its messages are the same. */
function withSettings(command: Command): Command {
  command.option('--config <file>', 'configuration file, YAML or JSON; also POGO_WS_CONFIG');
  command.option('--env-file <file>', 'takes what is not in the environment from this file, such as a .env of Laravel');
  for (const key of SETTING_KEYS) {
    const value = shownDefault(key);
    const description = `${settingsSchema.shape[key].description ?? ''}${value === '' ? '' : ` (${value})`}`;
    // Not told, but known: whoever tries one reads why there is none.
    command.addOption(new Option(`--${optionName(key)} <value>`, description).hideHelp(SECRET_KEYS.has(key)));
  }
  return command;
}

function commandLineOf(command: Command): CommandLineSettings {
  const given = Object.entries(command.opts<Record<string, string>>()).filter(([name]) => !OWN.has(name));
  const args = given.map(([name, value]) => `--${kebab(name)}=${value}`);
  return parseCommandLine(args);
}

/** Commander's camel case back into the option. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
