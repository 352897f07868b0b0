import { formatted, METRICS } from './metrics.mjs';

/** Beside figures of runs that do not count. */
const MARK = '†';

/** Percent of the server's core that the kernel and the odd daemon do not need. */
const DISTURBED = 10;

/** The section of one scenario: the table, what did not count and why, the targets. */
export function scenarioSection(scenario, measured, summary) {
  const { runs, timing, date, environment } = measured;
  const rounds = Math.max(...runs.map(({ round }) => round));
  const when = `${rounds === 1 ? '1 run' : `${rounds} runs each, in turns`}, ${timing.seconds} s after ${timing.warmup} s of warm-up`;
  return [
    `## ${scenario.id}: ${scenario.title}`,
    `${when}; ${date}, commit ${environment.commit}.${scenario.note === undefined ? '' : ` ${scenario.note}`}`,
    table(scenario, summary),
    ...(scenario.alone === undefined ? [] : [`Not compared with soketi: ${scenario.alone}.`]),
    ...reasonLines(summary),
    ...disturbance(summary),
    ...summary.targets.map((target) => `- **${target.verdict}**: ${sentence(target)}`),
  ]
    .map((part, i, parts) => part + (part.startsWith('- ') && parts[i + 1]?.startsWith('- ') ? '' : '\n'))
    .join('\n');
}

/** Everything that was measured so far. `entries`: scenario, measured and summary of each. */
export function document(entries) {
  const verdicts = entries.flatMap(({ scenario, summary }) =>
    summary.targets.map((target) => row([scenario.id, sentence(target), `**${target.verdict}**`])),
  );
  return [
    '# Results of the bench\n',
    'Made by `npm run bench` and `npm run bench:compare`; [README](../README.md) says how to read it. Medians, in brackets the smallest',
    'and the largest; a ratio is the median of the ratios within the rounds. The raw figures are in results.json.\n',
    ...machines(entries),
    ...(verdicts.length === 0
      ? []
      : [row(['scenario', 'target', 'verdict']), row(['---', '---', '---']), ...verdicts, '']),
    ...entries.map(({ scenario, measured, summary }) =>
      [scenarioSection(scenario, measured, summary), `![${scenario.id}](${scenario.id}.svg)\n`].join('\n'),
    ),
  ].join('\n');
}

function machines(entries) {
  const lines = entries.map(({ measured: { environment: e } }) =>
    [
      `${e.cpu}, ${e.cores} cores, ${e.memoryGiB} GiB; Linux ${e.kernel}; Node ${e.node}; OpenSSL ${e.openssl};`,
      `pogo-gateway ${e.pogo}, soketi ${e.soketi} with uWebSockets (npm) ${e.uWebSockets}${e.redis === undefined ? '' : `, Redis ${e.redis}`};`,
      `server on core ${e.serverCore}, generator on core ${e.generatorCore}.`,
    ].join(' '),
  );
  return [...new Set(lines)].map((line) => `${line}\n`);
}

function table({ contestants, columns, heading = 'server' }, summary) {
  const present = contestants.filter(({ name }) => summary.contestants[name] !== undefined);
  const all = [...Object.values(summary.contestants), ...summary.ratios];
  const shown = columns.filter((column) => all.some(({ metrics }) => metrics[column] !== undefined));
  const head = [heading, 'runs', ...shown.map((column) => METRICS[column].title)];
  const servers = present.map(({ name }) => {
    const { metrics, counted, runs, isMarked } = summary.contestants[name];
    return [name + (isMarked ? ` ${MARK}` : ''), `${counted}/${runs}`, ...shown.map((c) => cell(c, metrics[c]))];
  });
  const hasTarget = (of, to) => summary.targets.some((target) => target.of === of && target.to === to);
  const ratios = summary.ratios.map(({ of, to, metrics, pairs, isMarked }) => {
    const name = `${of} / ${to}${isMarked ? ` ${MARK}` : ''}`;
    return [hasTarget(of, to) ? `**${name}**` : name, `${pairs}`, ...shown.map((c) => ratioCell(c, metrics[c]))];
  });
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...servers, ...ratios].map(row).join('\n');
}

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

function cell(metric, figure) {
  if (figure === undefined) return '–';
  const [middle, low, high] = [figure.median, figure.min, figure.max].map((value) => formatted(metric, value));
  return low === high ? middle : `${middle} (${low}–${high})`;
}

/** Metrics of which neither more nor less is better say nothing as a ratio. */
function ratioCell(metric, figure) {
  if (figure === undefined || METRICS[metric].goal === undefined || metric === 'generatorShare') return '';
  const [middle, low, high] = [figure.median, figure.min, figure.max].map((value) => value.toFixed(2));
  return low === high ? middle : `${middle} (${low}–${high})`;
}

function reasonLines(summary) {
  const lines = Object.entries(summary.contestants).flatMap(([name, { reasons, isMarked }]) => {
    if (reasons.length === 0) return [];
    const said = reasons.map(({ round, reason }) => `run ${round}: ${reason.replace(/\s*\n\s*/g, ' / ')}`);
    const what = isMarked
      ? `${MARK} No run of ${name} counts; its figures are those of all its runs`
      : `Not counted of ${name}`;
    return [`- ${what}: ${said.join('; ')}.`];
  });
  return lines;
}

/** No reason not to count, because the bench cannot know what is usual on a machine, but one to measure again. */
function disturbance(summary) {
  const most = (what) => Math.max(...Object.values(summary.contestants).map((figures) => figures[what]));
  const [others, timeouts] = [most('disturbance'), most('tcpTimeouts')];
  return [
    ...(others < DISTURBED ? [] : [`- Disturbed: others used up to ${others.toFixed(0)} % of the server's core.`]),
    ...(timeouts === 0 ? [] : [`- Disturbed: up to ${timeouts} TCP timeouts in one run, 200 ms each.`]),
  ];
}

function sentence({ of, metric, to, atMost, atLeast, value }) {
  const whose = to === undefined ? of : `${of} / ${to}`;
  const bound = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  const shown = !Number.isFinite(value)
    ? 'not measured'
    : to === undefined
      ? formatted(metric, value)
      : value.toFixed(2);
  return `${METRICS[metric].title} of ${whose} ${bound}: ${shown}`;
}
