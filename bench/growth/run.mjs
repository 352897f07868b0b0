// `npm run bench:growth`: how cost grows with nodes, channels, members and connections. Writes results/growth.json, a table and a
// plot for each; docs/performance.md has the model. `--quick` shows that everything works, and writes elsewhere.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../lib/environment.mjs';
import { RESULTS } from '../lib/paths.mjs';
import { prepare } from '../lib/setup.mjs';

const FULL = {
  nodes: [1, 2, 3, 4],
  channels: [1_000, 10_000, 30_000, 100_000],
  members: [100, 1_000, 3_000, 10_000],
  connections: [1_000, 5_000, 10_000, 15_000],
  events: 2_000,
  joins: 50,
  idle: 4,
};
const QUICK = {
  nodes: [1, 2],
  channels: [500, 1_000],
  members: [100, 500],
  connections: [200, 400],
  events: 100,
  joins: 5,
  idle: 0.5,
};
const AXES = ['nodes', 'channels', 'members', 'connections'];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    axis: { type: 'string', multiple: true, default: AXES },
    'no-build': { type: 'boolean', default: false },
  },
});
await prepare({ build: !values['no-build'], scenarios: [{ contestants: [{ redis: {} }] }] });
const axes = await import('./axes.mjs');
const { draw } = await import('./draw.mjs');
const { tableOf } = await import('./table.mjs');

const folder = values.quick ? join(RESULTS, 'quick') : RESULTS;
mkdirSync(folder, { recursive: true });
const path = join(folder, 'growth.json');
/** Axes that are not measured now stay as they are. */
const results = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
const date = new Date().toISOString().slice(0, 10);
const environment = describeEnvironment();
for (const axis of values.axis) {
  const points = await axes[`${axis}Axis`](values.quick ? QUICK : FULL, (line) => process.stderr.write(`${line}\n`));
  results[axis] = { date, environment, points };
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, `growth-${axis}.svg`), await draw(axis, points));
  process.stdout.write(`\n${tableOf(axis, points)}\n`);
}
process.stdout.write(`Written to ${folder}\n`, () => process.exit(0));
