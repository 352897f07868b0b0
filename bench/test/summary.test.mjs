import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, summarize } from '../lib/summary.mjs';

const SCENARIO = {
  contestants: [{ name: 'pogo', comparedTo: 'soketi' }, { name: 'soketi' }],
  columns: ['p99', 'lost'],
  targets: [
    { metric: 'p99', atMost: 50 },
    { metric: 'p99', to: 'soketi', atMost: 0.5 },
    { metric: 'lost', atMost: 0, everyRun: true },
  ],
};

const run = (contestant, round, p99, lost = 0) => ({
  contestant,
  round,
  metrics: { p99, lost },
  doesNotCount: lost > 0 ? ['lost some'] : [],
});

const verdicts = (runs) => summarize(SCENARIO, runs).targets.map(({ verdict }) => verdict);

describe('the median', () => {
  it('is the middle, or between the two in the middle', () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(median([]), NaN);
  });
});

describe('a summary', () => {
  it('divides within the rounds before it takes the median', () => {
    const { ratios } = summarize(SCENARIO, [
      ...[run('pogo', 1, 10), run('soketi', 1, 100)],
      ...[run('pogo', 2, 40), run('soketi', 2, 50)],
      ...[run('pogo', 3, 30), run('soketi', 3, 60)],
    ]);
    assert.deepEqual(ratios[0].metrics.p99, { median: 0.5, min: 0.1, max: 0.8 });
    assert.equal(ratios[0].pairs, 3);
  });

  it('leaves out the runs that do not count, and says why', () => {
    const { contestants, ratios } = summarize(SCENARIO, [
      ...[run('pogo', 1, 10), run('soketi', 1, 100)],
      ...[run('pogo', 2, 900, 7), run('soketi', 2, 100)],
    ]);
    assert.deepEqual(contestants.pogo.metrics.p99, { median: 10, min: 10, max: 10 });
    assert.deepEqual(contestants.pogo.reasons, [{ round: 2, reason: 'lost some' }]);
    assert.equal(ratios[0].pairs, 1);
  });

  it('shows a peer that never counts, marked, and does not judge by it', () => {
    const runs = [run('pogo', 1, 10), run('soketi', 1, 900, 5)];
    const { contestants, ratios } = summarize(SCENARIO, runs);
    assert.equal(contestants.soketi.isMarked, true);
    assert.equal(contestants.soketi.metrics.p99.median, 900);
    assert.equal(ratios[0].isMarked, true);
    assert.deepEqual(verdicts(runs), ['reached', 'not judged', 'reached']);
  });

  it('does not judge a ratio to a peer that did not play', () => {
    assert.deepEqual(verdicts([run('pogo', 1, 60)]), ['not reached', 'not judged', 'reached']);
  });

  it('says not reached where one run of several lost something', () => {
    assert.equal(verdicts([run('pogo', 1, 10), run('pogo', 2, 10, 3)])[2], 'not reached');
  });

  it('says not reached where nothing was measured', () => {
    assert.equal(
      verdicts([{ contestant: 'pogo', round: 1, metrics: {}, doesNotCount: ['did not start'] }])[0],
      'not reached',
    );
  });
});
