/*
 * The names of everything in Redis. A bucket is what one script may touch: its keys share the hash tag
 * `{prefix:app:b}`, so that they live on one node of a Redis Cluster. The layout is fixed for a data set.
 *
 * In a bucket (root `{prefix:app:b}`; docs/operations.md has the table):
 *   root:n            the last serial
 *   root:s:<channel>  hash: socket id → incarnation + user id; field `n` = the channel's last serial
 *   root:m:<channel>  sorted set: the members by the serial with which they were added
 *   root:i:<channel>  hash: user id → the member as JSON
 *   root:p:<channel>  sorted set, by name: the sockets of each member
 *   root:c:<channel>  hash: the cached event
 *   root:o            sorted set, by name: occupied channels
 *   root:h:<inc>      set: what an incarnation of a node holds, and a mark that it has been here
 *   root:v            set: incarnations that hold something here
 *   root:f            sorted set: incarnations that are dead here, for an hour
 *   root:a            what the app wants to be told
 *   root:w            stream: what has happened, for webhooks
 *   root:d            sorted set: what is due when
 *   root:z            set: what webhooks were told is gone, in the ten minutes after Redis came back empty
 *   root:k            hash: channel → when its many clients were last told their number
 *   root:t<db>:<channel>  the topic
 * For an endpoint of webhooks (root `{prefix:hook:<endpoint>}`):
 *   root:q  stream: what it is to be told                      root:s  hash: bucket → the last entry that came from it
 * For all nodes (root `{prefix}`):
 *   root:l  sorted set: incarnation → when its lease ends      root:x  hash: incarnation → who reaps it until when
 *   root:b:<inc>  set: the buckets it may hold something in    root:c:<inc>  hash: app id → connections
 *   root:e  hash: the epoch of the data set
 *   root:w  set: buckets in which something may wait           root:y  who looks after them
 *   root:q  who has looked for the forgotten
 *   root:g  hash: endpoint → app id, of those that something was queued for
 *   root:p<db>:<pattern>  message patterns of Nest
 * By themselves: `{prefix:nonce:<nonce>}`, a command that a node has taken; `{prefix:rate:<name>}`, hash: a rate limit
 */

/** Fixed for a data set: another number would look for every key in another place. */
export const BUCKETS = 64;

const utf8 = new TextEncoder();

/** The bucket of a channel or user: FNV-1a, 32 bit, over its UTF-8. */
export function bucketOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 127) return hashOf(utf8.encode(name)) % BUCKETS;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return (hash >>> 0) % BUCKETS;
}

function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `app:b`, or `app:ub` for users; what `root:b:<inc>` lists. App ids have no colon. */
export function channelBucket(appId: string, channel: string): string {
  return `${appId}:${bucketOf(channel)}`;
}

export function userBucket(appId: string, userId: string): string {
  return `${appId}:u${bucketOf(userId)}`;
}

/** What a bucket is for: `c` channels or `u` users. */
export function kindOf(bucket: string): 'c' | 'u' {
  return bucket.includes(':u') ? 'u' : 'c';
}

/** Names for one cluster. */
export class RedisKeys {
  /** Root of the keys about nodes. */
  readonly nodes: string;
  /** What stands between a bucket's root and the channel's name in the name of a topic. */
  readonly topics: string;
  /** How topics are published: in a cluster to the servers of their slot alone. */
  readonly publish: 'publish' | 'spublish';
  private readonly bucketStart: string;
  private readonly patterns: string;

  /** @param isSharded keys live on several servers. */
  constructor(
    prefix: string,
    db: number,
    readonly isSharded: boolean,
  ) {
    this.publish = isSharded ? 'spublish' : 'publish';
    this.nodes = `{${prefix}}`;
    this.bucketStart = `{${prefix}:`;
    // Publish and subscribe know no databases.
    this.topics = `:t${db}:`;
    this.patterns = `{${prefix}}:p${db}:`;
  }

  root(bucket: string): string {
    return `${this.bucketStart}${bucket}}`;
  }

  /** Finds the keys `root:v` of all buckets, and some others. */
  get visitors(): string {
    return `${this.bucketStart}*}:v`;
  }

  /** The bucket with that key `root:v`; undefined when it is another key. */
  bucketOfVisitors(key: string): string | undefined {
    const bucket = key.slice(this.bucketStart.length, -'}:v'.length);
    return key === `${this.root(bucket)}:v` && !/[{}]/.test(bucket) ? bucket : undefined;
  }

  /** Redis's name of the broker topic `appId/channel`. */
  topic(topic: string): string {
    const slash = topic.indexOf('/');
    const appId = topic.slice(0, slash);
    const name = topic.slice(slash + 1);
    // No channel's name begins so: see `userTopicOf`.
    if (name.startsWith('/')) return this.root(userBucket(appId, name.slice(1))) + this.topics + name.slice(1);
    return this.root(channelBucket(appId, name)) + this.topics + name;
  }

  /** The broker topic with Redis's name `name`; undefined when it is none. */
  topicIn(name: string): string | undefined {
    if (!name.startsWith(this.bucketStart)) return undefined;
    const end = name.indexOf('}');
    if (!name.startsWith(this.topics, end + 1)) return undefined;
    const bucket = name.slice(this.bucketStart.length, end);
    const separator = kindOf(bucket) === 'u' ? '//' : '/';
    return bucket.slice(0, bucket.lastIndexOf(':')) + separator + name.slice(end + 1 + this.topics.length);
  }

  /** Redis's name of a message pattern of Nest. */
  pattern(pattern: string): string {
    return this.patterns + pattern;
  }

  patternIn(name: string): string | undefined {
    return name.startsWith(this.patterns) ? name.slice(this.patterns.length) : undefined;
  }

  /** Root of the keys about an endpoint of webhooks. */
  endpoint(endpointId: string): string {
    return `${this.bucketStart}hook:${endpointId}}`;
  }

  /** In front of the keys of BullMQ. */
  get jobs(): string {
    return `${this.bucketStart}jobs}`;
  }

  /** The key of a command's nonce. */
  nonce(nonce: string): string {
    return `${this.bucketStart}nonce:${nonce}}`;
  }

  /** The key of a rate limit's bucket. */
  tokens(bucket: string): string {
    return `${this.bucketStart}rate:${bucket}}`;
  }
}
