import { parseArgs } from 'node:util';

const USAGE = `npm run bench -- [options]          this server
npm run bench:compare -- [options]  this server and soketi, in turns

  --scenario a,b   only these (bench/README.md lists them); all but m, n, o, p otherwise
  --runs N         runs of each (3; compare: 5)
  --seconds N      measured seconds of a run (6, some scenarios have their own)
  --quick          one run of a second each: shows that everything works, measures nothing
  --no-build       measures dist/ as it is
  --help
`;

const DEFAULTS = { seconds: 6, warmup: 2, drain: 10 };
const QUICK = { seconds: 1, warmup: 0.5, drain: 3 };

/**
 * The command line; ends the process where it asks for help or makes no sense.
 * @returns `known` scenarios and those to run, `runsOf` and `timingOf` a scenario, the `folder` for the results
 */
export function readOptions(argv, scenarios) {
  try {
    return parse(argv, scenarios);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function parse(argv, scenarios) {
  const { values } = parseArgs({
    args: argv,
    options: {
      compare: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const { compare, quick } = values;
  const [runs, seconds] = [positive('runs', values.runs), positive('seconds', values.seconds)];
  // A second says nothing about a target.
  const known = quick ? scenarios.map((scenario) => ({ ...scenario, targets: [] })) : scenarios;
  return {
    compare,
    build: !values['no-build'],
    known,
    scenarios: chosen(values.scenario, known),
    // Only the comparison is kept in git.
    folder: quick ? 'quick' : compare ? '' : 'alone',
    runsOf: (scenario) => runs ?? (quick ? 1 : (scenario.runs ?? (compare ? 5 : 3))),
    timingOf: (scenario) => ({
      ...(quick ? QUICK : DEFAULTS),
      ...(quick ? {} : defined({ seconds: scenario.seconds, warmup: scenario.warmup })),
      ...defined({ seconds }),
    }),
  };
}

function chosen(names, scenarios) {
  if (names === undefined) return scenarios.filter(({ onlyByName }) => !onlyByName);
  const wanted = new Set(names.flatMap((list) => list.split(',')));
  for (const name of wanted) {
    if (scenarios.some((scenario) => isNamed(scenario, name))) continue;
    throw new Error(`--scenario ${name}: there is none; there are ${scenarios.map(({ id }) => id).join(', ')}`);
  }
  return scenarios.filter((scenario) => [...wanted].some((name) => isNamed(scenario, name)));
}

function isNamed({ id, family }, name) {
  return id === name || family === name;
}

function defined(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function positive(name, text) {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} ${text}: must be a whole number above 0`);
}
