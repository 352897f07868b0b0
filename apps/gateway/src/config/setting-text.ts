import { settingsSchema, type SettingKey } from './settings.js';

type Field = (typeof settingsSchema.shape)[SettingKey];

/** A setting's value as somebody would write it: `10s`, `2MiB`, `a,b`; `off` or nothing where it is not set. */
export function shownValue(key: SettingKey, value: unknown): string {
  const field = settingsSchema.shape[key];
  if (value === undefined || value === '') return isRate(field) ? 'off' : '';
  if (value instanceof URL) return value.href;
  if (Array.isArray(value))
    return value.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join(',');
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  // What takes a unit is shown with one.
  if (accepts(field, '1000s')) return duration(value);
  return accepts(field, '1KiB') ? size(value) : String(value);
}

export function shownDefault(key: SettingKey): string {
  return shownValue(key, settingsSchema.shape[key].parse(undefined));
}

/** It is a number that can be switched off. */
function isRate(field: Field): boolean {
  return accepts(field, '-1') && !accepts(field, 'text');
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
