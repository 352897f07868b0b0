import { FencedError } from './redis-fenced-error.js';
import { kindOf, type RedisKeys } from './redis-keys.js';
import type { RedisArgument, RedisLink } from './redis-link.js';
import type { RedisScript } from './redis-script.js';

/** Who asks, as the scripts about buckets know it. */
export interface BucketCaller {
  readonly incarnation: string;
  /** Redis's time, ms, until which transitions are held back. */
  readonly heldBackUntil: number;
  /** The incarnation has been in the bucket before. */
  readonly isKnown: boolean;
  /** What the app wants to be told; undefined from who does not know it. */
  readonly wanted?: string | undefined;
}

export interface BucketReply {
  /** `OK`, or why not. */
  readonly answer: string;
  /** Something waits in the bucket: for its time, or to be fetched for webhooks. */
  readonly isPending: boolean;
  readonly rest: unknown[];
}

/** Asks a script about one bucket. @throws FencedError, UnavailableError */
export async function callBucket(
  { link, keys }: { readonly link: RedisLink; readonly keys: RedisKeys },
  bucket: string,
  script: RedisScript,
  { incarnation, heldBackUntil, isKnown, wanted }: BucketCaller,
  args: readonly RedisArgument[],
): Promise<BucketReply> {
  const about = kindOf(bucket) + (isKnown ? '1' : '0') + (wanted === undefined ? '' : `=${wanted}`);
  const all = [incarnation, heldBackUntil, keys.topics, keys.publish, about, ...args];
  const reply = await link.runScript(script, `${keys.root(bucket)}:n`, all);
  const [word, pending, ...rest] = reply as [Buffer, Buffer | undefined, ...unknown[]];
  const answer = word.toString();
  if (answer === 'FENCED') throw new FencedError();
  if (answer === 'LOST') throw new FencedError('Redis has lost what this node holds');
  return { answer, isPending: pending?.toString() === '1', rest };
}

/** Who changes nothing that belongs to a node. */
export const NOBODY: BucketCaller = { incarnation: '', heldBackUntil: 0, isKnown: false };
