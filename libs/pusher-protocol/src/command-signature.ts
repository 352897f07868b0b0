import { randomBytes } from 'node:crypto';
import { equalsInConstantTime, hmacSha256Hex } from './signature.js';

/** Message patterns that another service may send; each command is signed with the `command_secret`. */
export const COMMAND_PATTERNS = ['pogo.publish', 'pogo.publish_many', 'pogo.terminate_user'] as const;
export type CommandPattern = (typeof COMMAND_PATTERNS)[number];

/** How far a command's time-stamp may be from the clock of the gateway, either way. */
export const COMMAND_MAX_AGE_SECONDS = 30;

/** What is signed of a command. */
export interface UnsignedCommand {
  /** The command's fields as JSON, exactly as they were signed. */
  readonly body: string;
  /** Unix time in seconds. */
  readonly timestamp: number;
  /** Used once: at least 128 random bits, 22 to 64 characters of base64url. */
  readonly nonce: string;
}

export interface SignedCommand extends UnsignedCommand {
  /** hex(HMAC-SHA256(secret, pattern \n timestamp \n nonce \n body)), lower case. */
  readonly signature: string;
}

const NONCE = /^[A-Za-z0-9_-]{22,64}$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
const NONCE_BYTES = 16;

export function createCommandNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

export function signCommand(secret: string, pattern: CommandPattern, command: UnsignedCommand): SignedCommand {
  return { ...command, signature: signatureOf(secret, pattern, command) };
}

/** What arrived as a command, when it has the shape of one; nothing is said about who has signed it. */
export function parseSignedCommand(value: unknown): SignedCommand | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { body, timestamp, nonce, signature } = value as Readonly<Record<string, unknown>>;
  if (typeof body !== 'string' || typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp)) return undefined;
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) return undefined;
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return undefined;
  return { body, timestamp, nonce, signature };
}

/**
 * Whether the holder of the secret has signed the command, for this pattern and not long ago. It says nothing about
 * whether it has been carried out before: that is what the nonce is for.
 * @param now ms since 1970.
 */
export function verifyCommand(
  secret: string,
  pattern: CommandPattern,
  command: SignedCommand,
  now: number,
): 'valid' | 'wrong_time' | 'wrong_signature' {
  if (Math.abs(now - command.timestamp * 1_000) > COMMAND_MAX_AGE_SECONDS * 1_000) return 'wrong_time';
  const isSigned = equalsInConstantTime(command.signature, signatureOf(secret, pattern, command));
  return isSigned ? 'valid' : 'wrong_signature';
}

/** Of the parts only the body can have a line break, and it comes last: no two commands have the same text. */
function signatureOf(secret: string, pattern: CommandPattern, { timestamp, nonce, body }: UnsignedCommand): string {
  return hmacSha256Hex(secret, `${pattern}\n${timestamp}\n${nonce}\n${body}`);
}
