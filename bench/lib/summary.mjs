/** Median of some numbers; NaN of none. */
export function median(values) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, smallest and largest. */
export function spread(values) {
  const numbers = values.filter(Number.isFinite);
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * What the runs of a scenario come to.
 *
 * A contestant's figures are the medians of its runs that count. Where none counts they are those of all its runs and
 * `isMarked`: a peer that cannot keep up is shown, and said to be so. A ratio is the median of the ratios within the
 * rounds, of the rounds in which both runs count.
 */
export function summarize({ contestants, columns, targets }, runs) {
  const runsOf = (name) => runs.filter(({ contestant }) => contestant === name);
  const present = contestants.filter(({ name }) => runsOf(name).length > 0);
  const of = Object.fromEntries(present.map(({ name }) => [name, figures(runsOf(name), columns)]));
  const ratios = present.flatMap(({ name, comparedTo = [] }) =>
    [comparedTo]
      .flat()
      .filter((other) => of[other] !== undefined)
      .map((other) => ({ of: name, to: other, ...ratiosOf(runs, name, other, columns) })),
  );
  return { contestants: of, ratios, targets: targets.map((target) => judge(target, of, ratios, runs)) };
}

function figures(runs, columns) {
  const counted = runs.filter(counts);
  const used = counted.length > 0 ? counted : runs;
  const reasons = runs.flatMap(({ round, doesNotCount }) => doesNotCount.map((reason) => ({ round, reason })));
  const metrics = columns.map((column) => [column, spread(used.map(({ metrics }) => metrics[column]))]);
  return {
    counted: counted.length,
    runs: runs.length,
    isMarked: counted.length === 0,
    reasons,
    /** Percent of the server's core that somebody else used, in the worst of these runs. */
    disturbance: Math.max(0, ...used.map(({ metrics }) => metrics.otherShare ?? 0)),
    tcpTimeouts: Math.max(0, ...used.map(({ metrics }) => metrics.tcpTimeouts ?? 0)),
    metrics: Object.fromEntries(metrics.filter(([, { median }]) => Number.isFinite(median))),
  };
}

function ratiosOf(runs, name, other, columns) {
  const pairs = runs
    .filter(({ contestant }) => contestant === name)
    .map((run) => [run, runs.find(({ contestant, round }) => contestant === other && round === run.round)]);
  const counted = pairs.filter(([one, two]) => counts(one) && counts(two));
  const used = counted.length > 0 ? counted : pairs;
  const metrics = columns.map((column) => [
    column,
    spread(used.map(([one, two]) => one.metrics[column] / two.metrics[column])),
  ]);
  return {
    pairs: counted.length,
    isMarked: counted.length === 0,
    metrics: Object.fromEntries(metrics.filter(([, { median }]) => Number.isFinite(median))),
  };
}

function counts({ doesNotCount }) {
  return doesNotCount.length === 0;
}

/**
 * `verdict`: `reached`, `not reached`, or `not judged` for a ratio to somebody who was not there or could not keep up. What
 * no run that counts has shown is not reached. `everyRun`: the worst of all runs decides, whether they count or not.
 */
function judge(target, contestants, ratios, runs) {
  const { of = 'pogo', metric, to, atMost = Infinity, atLeast = -Infinity, everyRun } = target;
  const ours = contestants[of];
  const source = to === undefined ? ours : ratios.find((ratio) => ratio.of === of && ratio.to === to);
  if (source === undefined) return { ...target, of, verdict: 'not judged' };
  const value = everyRun
    ? Math.max(...runs.filter(({ contestant }) => contestant === of).map(({ metrics }) => metrics[metric]))
    : source.metrics[metric]?.median;
  const isReached = value <= atMost && value >= atLeast;
  if (ours.isMarked && !everyRun) return { ...target, of, value, verdict: 'not reached' };
  if (source.isMarked && !everyRun) return { ...target, of, value, verdict: 'not judged' };
  return { ...target, of, value, verdict: isReached ? 'reached' : 'not reached' };
}
