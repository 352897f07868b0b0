import { describe, expect, it } from 'vitest';
import { redisAddress } from './publisher-options.js';

const PLACES = [{ host: 'a', port: 1 }];

describe('the Redis of a publisher', () => {
  it('is on this machine by default, and what a URL says, completed', () => {
    expect(redisAddress({})).toMatchObject({ host: '127.0.0.1', port: 6379, clusterNodes: [], sentinels: [], db: 0 });
    expect(redisAddress({ url: 'rediss://me:p@r:7/2', prefix: 'x' })).toMatchObject({
      ...{ host: 'r', port: 7, db: 2, tls: true, username: 'me', password: 'p', prefix: 'x' },
    });
  });

  it('is a cluster, or behind sentinels', () => {
    expect(redisAddress({ clusterNodes: PLACES })).toMatchObject({ clusterNodes: PLACES, sentinels: [] });
    expect(redisAddress({ sentinels: PLACES, db: 3 })).toMatchObject({
      sentinels: PLACES,
      sentinelName: 'mymaster',
      db: 3,
    });
  });

  it.each([
    [{ clusterNodes: PLACES, sentinels: PLACES }, 'name one'],
    [{ clusterNodes: PLACES, host: 'r' }, 'name one'],
    [{ sentinels: PLACES, url: 'redis://:hunter2@r' }, 'name one'],
    [{ clusterNodes: [] }, 'at least one'],
    [{ sentinels: [] }, 'at least one'],
    [{ clusterNodes: PLACES, db: 1 }, 'database 0 only'],
    [{ url: 'http://:hunter2@r' }, 'must be redis'],
  ])('is not %j', (options, problem) => {
    const address = () => redisAddress(options);
    expect(address).toThrow(TypeError);
    expect(address).toThrow(problem);
    expect(address).not.toThrow('hunter2');
  });
});
