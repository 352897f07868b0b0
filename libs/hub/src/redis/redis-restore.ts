import { RESTORE } from './redis-bucket-scripts.js';
import type { RedisArgument } from './redis-link.js';
import { RedisScript } from './redis-script.js';

export const restoreScript = new RedisScript(RESTORE);

const ENTRIES_PER_CALL = 250;

/** One socket's place, as the scripts take it. `memberJson` is '' where there are no members. */
export interface Entry {
  readonly bucket: string;
  readonly name: string;
  readonly socketId: string;
  readonly userId: string;
  readonly memberJson: string;
  /** Nobody knows whether it was recorded: what is there is kept, and nothing is added. */
  readonly isUncertain: boolean;
  /** It has left while Redis could not be told; only for a Redis that has lost its data. */
  readonly hasLeft?: boolean;
  /** What the app wants to be told; the same in all of a bucket. */
  readonly wanted: string;
}

export function groupByBucket(entries: readonly Entry[]): Map<string, Entry[]> {
  const byBucket = new Map<string, Entry[]>();
  for (const entry of entries) {
    const others = byBucket.get(entry.bucket);
    if (others === undefined) byBucket.set(entry.bucket, [entry]);
    else others.push(entry);
  }
  return byBucket;
}

/**
 * The calls that write down everything a node holds, some of it each.
 * @param formers incarnations that the process had before.
 * @param isLate the others have already been told that these are gone.
 */
export function* restoreCalls(
  byBucket: ReadonlyMap<string, readonly Entry[]>,
  formers: readonly string[],
  isLate: boolean,
): Iterable<{ readonly bucket: string; readonly args: RedisArgument[]; readonly wanted: string }> {
  for (const [bucket, entries] of byBucket) {
    for (let at = 0; at < entries.length; at += ENTRIES_PER_CALL) {
      const some = entries.slice(at, at + ENTRIES_PER_CALL);
      const fields = some.flatMap(fieldsOf);
      yield { bucket, args: [formers.join(), isLate ? '1' : '0', ...fields], wanted: some[0]?.wanted ?? '' };
    }
  }
}

function fieldsOf({ name, socketId, userId, memberJson, isUncertain, hasLeft }: Entry): RedisArgument[] {
  return [name, socketId, userId, memberJson, hasLeft ? '2' : isUncertain ? '1' : '0'];
}
