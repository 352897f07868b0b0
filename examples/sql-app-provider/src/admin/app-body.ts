import { BadRequestException } from '@nestjs/common';
import type { AppRow } from '../apps/apps.table.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isFlag: Check = (value) => value === undefined || typeof value === 'boolean';
const isCount: Check = (value) => value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
const areTexts: Check = (value) => value === undefined || (Array.isArray(value) && value.every(isText));

const FIELDS: Readonly<Record<string, Check>> = {
  key: isText,
  secret: isText,
  enabled: isFlag,
  clientEvents: isFlag,
  allowedOrigins: areTexts,
  maxConnections: isCount,
  maxEventBytes: (value) => isCount(value) && value !== 0,
};

interface AppBody {
  readonly key: string;
  readonly secret: string;
  readonly enabled?: boolean;
  readonly clientEvents?: boolean;
  readonly allowedOrigins?: readonly string[];
  readonly maxConnections?: number;
  readonly maxEventBytes?: number;
}

/**
 * The row that a request's body describes.
 * @throws BadRequestException that names the fields that are wrong and quotes none of them: one is the secret.
 */
export function rowOf(id: string, body: unknown): AppRow {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const wrong = Object.entries(FIELDS).filter(([name, isRight]) => !isRight(fields[name]));
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(FIELDS, name));
  if (wrong.length > 0) throw new BadRequestException(`wrong: ${wrong.map(([name]) => name).join(', ')}`);
  if (unknown.length > 0) throw new BadRequestException(`unknown fields; there are ${Object.keys(FIELDS).join(', ')}`);
  const app = fields as unknown as AppBody;
  return {
    id,
    key: app.key,
    secret: app.secret,
    enabled: app.enabled === false ? 0 : 1,
    client_events: app.clientEvents === undefined ? null : app.clientEvents ? 1 : 0,
    allowed_origins: app.allowedOrigins?.join(',') ?? null,
    max_connections: app.maxConnections ?? null,
    max_event_bytes: app.maxEventBytes ?? null,
  };
}
