import { ALSO_WHEN_FULL } from '../redis/redis-bucket-lua.js';
import type { RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import { RedisScript } from '../redis/redis-script.js';
import { CommandNonces } from './command-nonces.js';

/** A script and not SET alone, because a Redis that is full lets nobody publish then: 1 how long it is kept, ms. */
const claim = new RedisScript(`${ALSO_WHEN_FULL}
return redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and 1 or 0`);

export const COMMAND_NONCE_SCRIPTS = [claim];

/** Nonces of a cluster, each in a key that Redis forgets by itself. */
export class RedisCommandNonces extends CommandNonces {
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
  ) {
    super();
  }

  async claim(nonce: string, ttlMs: number): Promise<boolean> {
    return (await this.link.runScript(claim, this.keys.nonce(nonce), [ttlMs])) === 1;
  }
}
