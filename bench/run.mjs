// `npm run bench` and `npm run bench:compare`: everything that is needed is installed, built and started, and the results are
// written to bench/results/. README.md says what is measured and how.
import { join } from 'node:path';
import { describeEnvironment } from './lib/environment.mjs';
import { readOptions } from './lib/options.mjs';
import { RESULTS } from './lib/paths.mjs';
import { document, scenarioSection } from './lib/report.mjs';
import { Results } from './lib/results.mjs';
import { runScenario } from './lib/runner.mjs';
import { prepare } from './lib/setup.mjs';
import { summarize } from './lib/summary.mjs';
import { SCENARIOS } from './scenarios/index.mjs';

const options = readOptions(process.argv.slice(2), SCENARIOS);
await prepare(options);
// Not before: it is what `prepare` installs.
const { plot } = await import('./lib/plot.mjs');

const results = new Results(join(RESULTS, options.folder));
const environment = describeEnvironment();

for (const scenario of options.scenarios) {
  const contestants = scenario.contestants.filter(({ kind }) => options.compare || kind === 'pogo');
  const timing = options.timingOf(scenario);
  const runs = await runScenario(scenario, { contestants, runs: options.runsOf(scenario), timing, report });
  const date = new Date().toISOString().slice(0, 10);
  results.save(scenario.id, { title: scenario.title, date, environment, timing, runs });
  const summary = summarize(scenario, runs);
  results.write(`${scenario.id}.svg`, await plot(scenario, summary));
  process.stdout.write(`\n${scenarioSection(scenario, results.scenarios[scenario.id], summary)}\n`);
}

const entries = options.known
  .filter(({ id }) => results.scenarios[id] !== undefined)
  .map((scenario) => {
    const measured = results.scenarios[scenario.id];
    return { scenario, measured, summary: summarize(scenario, measured.runs) };
  });
results.write('results.md', document(entries));
process.stdout.write(`Written to ${results.folder}\n`, () => process.exit(0));

/** Progress, so that the tables alone are on stdout. */
function report(line) {
  process.stderr.write(`${line}\n`);
}
