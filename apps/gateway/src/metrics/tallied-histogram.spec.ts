import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { TalliedHistogram } from './tallied-histogram.js';

const BUCKETS = [0.00001, 0.5, 1, 4];
/** Below, on and above bounds, and more of one kind than of another. */
const VALUES = [0, 0.00001, 0.000011, 0.5, 0.75, 0.75, 1, 3.9999, 4, 4.0001, 1_000];

/** Both count the same; the one is prom-client's own. */
function pair(labelNames: string[]) {
  const [ours, theirs] = [new Registry(), new Registry()];
  const configuration = { name: 'pogo_seconds', help: 'How long', labelNames, buckets: BUCKETS };
  const tallied = new TalliedHistogram({ ...configuration, registers: [ours] });
  const histogram = new Histogram({ ...configuration, registers: [theirs] });
  return { tallied, histogram, ours, theirs };
}

describe('A histogram of tallies', () => {
  it('shows what prom-client’s own shows, with labels and without', async () => {
    for (const kinds of [[{}], [{ kind: 'prepared' }, { kind: 'bytes' }]]) {
      const { tallied, histogram, ours, theirs } = pair(Object.keys(kinds[0] ?? {}));
      for (const [skipped, labels] of kinds.entries()) {
        for (const value of VALUES.slice(skipped)) {
          tallied.tally(labels).observe(value);
          histogram.observe(labels, value);
        }
      }
      const text = await ours.metrics();
      expect(text).toBe(await theirs.metrics());
      expect(text).toContain('le="+Inf"');
      const [json] = await ours.getMetricsAsJSON();
      // Ours has no exemplars.
      const [expected] = JSON.parse(
        JSON.stringify(await theirs.getMetricsAsJSON()).replaceAll(',"exemplar":null', ''),
      ) as [object];
      expect(json).toEqual(expected);
    }
  });

  it('shows a series from the moment at which somebody may add to it, and one without labels from the start', async () => {
    const labelled = pair(['kind']);
    expect(await labelled.ours.metrics()).toBe(await labelled.theirs.metrics());
    labelled.tallied.tally({ kind: 'bytes' });
    labelled.histogram.zero({ kind: 'bytes' });
    expect(await labelled.ours.metrics()).toBe(await labelled.theirs.metrics());
    const plain = pair([]);
    expect(await plain.ours.metrics()).toBe(await plain.theirs.metrics());
  });

  it('is one for the same labels, and stays one when it is set back to 0', async () => {
    const { tallied, ours } = pair(['kind']);
    const tally = tallied.tally({ kind: 'bytes' });
    tally.observe(1);
    ours.resetMetrics();
    expect(await ours.metrics()).toContain('pogo_seconds_count{kind="bytes"} 0');
    tally.observe(2);
    expect(tallied.tally({ kind: 'bytes' })).toBe(tally);
    expect(await ours.metrics()).toContain('pogo_seconds_sum{kind="bytes"} 2');
  });
});
