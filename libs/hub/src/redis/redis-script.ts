import { createHash } from 'node:crypto';

/** A Lua script by its digest: sent once per connection, called by 40 bytes. */
export class RedisScript {
  readonly digest: string;

  constructor(readonly source: string) {
    this.digest = createHash('sha1').update(source).digest('hex');
  }
}
