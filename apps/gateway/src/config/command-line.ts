import { parseArgs } from 'node:util';
import { ConfigError } from './config-error.js';
import { unknownKey, type CommandLineSettings } from './setting-sources.js';
import { SECRET_KEYS, SETTING_KEYS, type SettingKey } from './settings.js';

const FILE_OPTION = 'config';

/** `max_event_bytes` as an option: `max-event-bytes`. */
export function optionName(key: SettingKey): string {
  return key.replaceAll('_', '-');
}

/**
 * Settings as options, `--redis-prefix shop`, and the file, `--config pogo.yaml`.
 * @param args without the program. @throws ConfigError with every mistake. Secrets are refused: every user of the machine
 * can read another one's command line.
 */
export function parseCommandLine(args: readonly string[]): CommandLineSettings {
  const options = Object.fromEntries([FILE_OPTION, ...SETTING_KEYS.map(optionName)].map((name) => [name, OPTION]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const settings: Partial<Record<SettingKey, string>> = {};
  const problems: string[] = [];
  let file: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      problems.push('there are no arguments without a name: settings are --name value');
      continue;
    }
    const { rawName, value } = token;
    const key = token.name.replaceAll('-', '_');
    if (key !== FILE_OPTION && !isSetting(key)) {
      problems.push(
        `${rawName}: ${unknownKey(key, [FILE_OPTION, ...SETTING_KEYS], (name) => `--${optionName(name as SettingKey)}`)}`,
      );
    } else if (SECRET_KEYS.has(key)) {
      problems.push(
        `${rawName}: everybody on the machine can read a command line: use POGO_WS_${key.toUpperCase()} or the file`,
      );
    } else if (value === undefined || value === '' || (!token.inlineValue && value.startsWith('--'))) {
      problems.push(`${rawName}: needs a value`);
    } else if (isSetting(key)) {
      settings[key] = value;
    } else {
      file = value;
    }
  }
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return { file, settings };
}

const OPTION = { type: 'string' } as const;

function isSetting(key: string): key is SettingKey {
  return (SETTING_KEYS as readonly string[]).includes(key);
}
