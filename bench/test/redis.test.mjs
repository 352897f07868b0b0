import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { beyondIdle } from '../lib/idle.mjs';
import { countersIn } from '../lib/redis.mjs';

const INFO = [
  '# Stats',
  'total_reads_processed:17',
  'io_threaded_reads_processed:0',
  '# Commandstats',
  'cmdstat_evalsha:calls=3,usec=20,usec_per_call=6.67,rejected_calls=0,failed_calls=0',
  'cmdstat_hget:calls=9,usec=9,usec_per_call=1.00,rejected_calls=0,failed_calls=0',
  'cmdstat_publish:calls=5,usec=9,usec_per_call=1.80,rejected_calls=0,failed_calls=0',
  'cmdstat_subscribe:calls=2,usec=9,usec_per_call=4.50,rejected_calls=0,failed_calls=0',
  'cmdstat_info:calls=4,usec=99,usec_per_call=24.75,rejected_calls=0,failed_calls=0',
].join('\r\n');

describe('the counters of Redis', () => {
  it('tell what was sent from what scripts called, and leave out the question itself', () => {
    assert.deepEqual(countersIn(INFO), { sent: 5, inner: 9, published: 5, reads: 17 });
  });
});

describe('growth beyond idle', () => {
  it('is what the work has added to what the time adds', async () => {
    let added = 0;
    const sample = () => ({ seconds: performance.now() / 1_000, events: added });
    const { growth, answer } = await beyondIdle(sample, 0.04, async () => {
      added += 7;
      await sleep(30);
      return 'done';
    });
    assert.equal(answer, 'done');
    assert.equal(growth.events, 7);
    assert.ok(Math.abs(growth.seconds) < 0.01);
  });
});
