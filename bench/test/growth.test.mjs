import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineThrough, percentile } from '../growth/measure.mjs';
import { figuresOf, tableOf } from '../growth/table.mjs';

describe('growth', () => {
  it('draws a line through points, and says how good it is', () => {
    const exact = lineThrough([1, 2, 4].map((x) => ({ x, y: 3 + 2 * x })));
    assert.ok(Math.abs(exact.a - 3) < 1e-9 && Math.abs(exact.b - 2) < 1e-9 && Math.abs(exact.explained - 1) < 1e-9);
    const none = lineThrough([
      { x: 0, y: 1 },
      { x: 1, y: 3 },
      { x: 2, y: 1 },
    ]);
    assert.ok(Math.abs(none.b) < 1e-9 && none.explained < 1e-9);
    assert.equal(
      lineThrough([
        { x: 0, y: 5 },
        { x: 1, y: 5 },
      ]).explained,
      1,
    );
  });

  it('takes percentiles of what was measured', () => {
    assert.equal(percentile([5, 1, 3], 0.5), 3);
    assert.equal(percentile([5, 1, 3], 0.99), 5);
  });

  it('has a row for every figure', () => {
    const points = [
      { nodes: 1, join: { redisMicros: 10 }, bytes: 2_000 },
      { nodes: 2, join: { redisMicros: 20 }, bytes: 4_000 },
    ];
    assert.deepEqual(figuresOf(points, 'nodes')[1], { x: 2, figures: { 'join.redisMicros': 20, bytes: 4_000 } });
    const rows = tableOf('nodes', points).split('\n');
    assert.equal(rows[2], '| join.redisMicros | 10 | 20 | 0 + 10·x (R² 1.00) |');
    assert.equal(rows[3], '| bytes | 2,000 | 4,000 | 0 + 2,000·x (R² 1.00) |');
  });
});
