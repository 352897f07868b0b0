import { randomBytes } from 'node:crypto';
import type { RedisBuckets } from './redis-buckets.js';
import { callBucket } from './redis-bucket-call.js';
import { FencedError } from './redis-fenced-error.js';
import { KNOWS, REAP } from './redis-bucket-scripts.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisArgument, RedisLink } from './redis-link.js';
import { ADOPT, BEAT, CLAIM, COUNT_CONNECTIONS, FORGET, LOOK_EVERYWHERE, REGISTER } from './redis-node-scripts.js';
import type { RedisOptions } from './redis-options.js';
import { RedisScript } from './redis-script.js';

const beat = new RedisScript(BEAT);
const register = new RedisScript(REGISTER);
const claim = new RedisScript(CLAIM);
const forget = new RedisScript(FORGET);
const countConnections = new RedisScript(COUNT_CONNECTIONS);
const lookEverywhere = new RedisScript(LOOK_EVERYWHERE);
const reap = new RedisScript(REAP);
const adopt = new RedisScript(ADOPT);
const knows = new RedisScript(KNOWS);

/** Sent to Redis when the link opens. */
export const LEASE_SCRIPTS = [beat, register, claim, forget, countConnections, lookEverywhere, reap, knows, adopt];

const ENTRIES_PER_CALL = 500;
const BUCKETS_PER_CALL = 500;
/** Nobody else reaps for so long; whoever does it says so again every half of it. */
const CLAIM_MS = 2_000;

/** What a heartbeat brings back. */
export interface Beat {
  /** The data set; another one than before means that Redis came back empty. */
  readonly epoch: string;
  /** Redis's time, ms, until which transitions are held back; 0 = never. */
  readonly heldBackUntil: number;
  /** The same from now on; not positive: they are not. */
  readonly heldBackMs: number;
  /** Until somebody may have to be reaped. */
  readonly nextExpiryMs: number;
}

/** What somebody has to look after. */
export interface Everywhere {
  readonly isChosen: boolean;
  /** Empty for those who are not chosen. */
  readonly buckets: readonly string[];
  /** Endpoints of webhooks, by id, and their apps. */
  readonly endpoints: ReadonlyMap<string, string>;
}

/** A new name for a life of this process. 16 characters without a comma; scripts rely on it. */
export function newIncarnation(): string {
  return randomBytes(12).toString('base64url');
}

/** The questions about who lives. */
export class RedisLeases {
  private readonly key: string;
  /** Something waits in a bucket: who left there is to be told of. */
  onPending: (bucket: string) => void = () => undefined;
  /** What the last heartbeat has said: who leaves meanwhile leaves in silence. */
  private heldBackUntil = 0;

  constructor(
    readonly link: RedisLink,
    private readonly options: RedisOptions,
    readonly keys: RedisKeys,
  ) {
    this.key = `${keys.nodes}:l`;
  }

  /**
   * Says that `incarnation` lives and how many connections it has per app.
   * @param life `new` for one that Redis may not know; `lost` for such a one that has seen that some data are lost.
   * @param knownEpoch the data set that this process has seen before, or ''.
   * @throws FencedError when it counts as dead, UnavailableError.
   */
  async beat(
    incarnation: string,
    life: 'new' | 'lost' | 'going on',
    knownEpoch: string,
    connections: ReadonlyMap<string, number>,
  ): Promise<Beat> {
    const { leaseMs, holdMs, heartbeatMs } = this.options;
    const counts = [...connections].flat();
    const how = { 'going on': '0', new: '1', lost: '2' }[life];
    const args = [incarnation, leaseMs, holdMs, 2 * heartbeatMs, how, knownEpoch, newIncarnation(), ...counts];
    const [epoch, now, heldUntil, expiry, grace] = await this.ask(beat, args);
    const heldBackUntil = (this.heldBackUntil = Number(heldUntil));
    return {
      epoch: String(epoch),
      heldBackUntil,
      heldBackMs: heldBackUntil - Number(now),
      nextExpiryMs: Math.max(Number(expiry), Number(grace)),
    };
  }

  /**
   * Whether the bucket has lost what it knew of an incarnation: in a cluster one server can come back empty, and the
   * others with all they had. @throws UnavailableError
   */
  async hasLost(incarnation: string, bucket: string): Promise<boolean> {
    return Number(await this.link.runScript(knows, `${this.keys.root(bucket)}:n`, [incarnation])) === 0;
  }

  /** Notes that `incarnation` is about to hold something in `buckets`. @throws FencedError, UnavailableError */
  async register(incarnation: string, buckets: readonly string[]): Promise<void> {
    for (let at = 0; at < buckets.length; at += BUCKETS_PER_CALL) {
      await this.ask(register, [incarnation, ...buckets.slice(at, at + BUCKETS_PER_CALL)]);
    }
  }

  /** Connections of the app on all nodes but `except`. @throws UnavailableError */
  async countConnections(appId: string, except: string): Promise<number> {
    const [sum] = await this.ask(countConnections, [appId, except]);
    return Number(sum);
  }

  /**
   * Where something may wait, for the one node that is chosen to look for the next `periodMs`, or a little less.
   * @throws UnavailableError
   */
  async lookEverywhere(periodMs: number): Promise<Everywhere> {
    const [chosen, buckets, endpoints] = await this.ask(lookEverywhere, [Math.round(periodMs * 0.9)]);
    const texts = (endpoints as Buffer[]).map(String);
    const pairs = texts.flatMap((id, i) => (i % 2 === 0 ? [[id, texts[i + 1] ?? ''] as const] : []));
    return { isChosen: String(chosen) === '1', buckets: (buckets as Buffer[]).map(String), endpoints: new Map(pairs) };
  }

  /**
   * Removes what a dead incarnation left behind, as far as nobody else is at it. False: nobody is dead.
   * @param own an incarnation that its own process gives up, and where it has been; by default any whose lease is over.
   * @throws UnavailableError; who asks next goes on where this ended.
   */
  async reapOne(own?: RedisBuckets): Promise<boolean> {
    const claimed = await this.claim(own?.incarnation ?? '');
    if (claimed === undefined) return false;
    const { dead } = claimed;
    const buckets = new Set([...claimed.buckets, ...(own?.names ?? [])]);
    let claimedAt = performance.now();
    for (const bucket of buckets) {
      while ((await this.reapSome(dead, bucket)) > 0);
      if (performance.now() - claimedAt < CLAIM_MS / 2) continue;
      await this.claim(dead);
      claimedAt = performance.now();
    }
    await this.ask(forget, [dead]);
    return true;
  }

  /**
   * Whoever holds something in a bucket and is not known is to be cleaned up after.
   * @param held incarnation and bucket of each. @throws UnavailableError
   */
  async adopt(held: readonly (readonly [incarnation: string, bucket: string])[]): Promise<number> {
    let adopted = 0;
    for (let at = 0; at < held.length; at += BUCKETS_PER_CALL) {
      adopted += Number((await this.ask(adopt, held.slice(at, at + BUCKETS_PER_CALL).flat()))[0]);
    }
    return adopted;
  }

  private async claim(own: string): Promise<{ dead: string; buckets: string[] } | undefined> {
    const reply = (await this.link.runScript(claim, this.key, [CLAIM_MS, own])) as [Buffer, Buffer, Buffer[]];
    if (reply[0].toString() === 'NONE') return undefined;
    return { dead: reply[1].toString(), buckets: reply[2].map(String) };
  }

  private async reapSome(dead: string, bucket: string): Promise<number> {
    const caller = { incarnation: dead, heldBackUntil: this.heldBackUntil, isKnown: false };
    const { isPending, rest } = await callBucket(this, bucket, reap, caller, [ENTRIES_PER_CALL]);
    if (isPending) this.onPending(bucket);
    return Number(rest[0]);
  }

  private async ask(script: RedisScript, args: readonly RedisArgument[]): Promise<unknown[]> {
    const [word, ...rest] = (await this.link.runScript(script, this.key, args)) as [Buffer, ...unknown[]];
    if (word.toString() === 'FENCED') throw new FencedError();
    return rest;
  }
}
