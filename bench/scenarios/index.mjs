import { clusterScenarios } from './cluster.mjs';
import { connectionScenarios } from './connections.mjs';
import { fanOutScenarios } from './fan-out.mjs';
import { publishScenarios } from './publish.mjs';
import { troubleScenarios } from './trouble.mjs';
import { variantScenarios } from './variants.mjs';

/**
 * Every scenario, in the order of the alphabet. One has
 * - `id`, `title`, `note`; `family`: what `--scenario` may name as well, for several that belong together
 * - `contestants`: servers, each with a name, its `kind`, what is special about it, and whom it is `comparedTo`; `heading` of the
 *   table's first column, where they are something else
 * - `alone`: why soketi does not play, where it does not
 * - `measure(bench)`: the steps; resolves to metrics (lib/metrics.mjs)
 * - `columns`: the metrics that are shown
 * - `targets`: a bound for a metric `of` a contestant (pogo), or for its ratio `to` another
 * - `seconds`, `warmup`, `runs`: where they differ from the others' default; `onlyByName`: not part of "all"
 */
export const SCENARIOS = [
  ...fanOutScenarios,
  ...publishScenarios,
  ...connectionScenarios,
  ...troubleScenarios,
  ...variantScenarios,
  ...clusterScenarios,
].sort((one, other) => one.family.localeCompare(other.family, 'en', { numeric: true }));
