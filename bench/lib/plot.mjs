import { compile } from 'vega-lite';
import { parse, View } from 'vega';
import { METRICS } from './metrics.mjs';

const PERCENTILES = ['p50', 'p99', 'p999'];
/** In the table and not in the picture. */
const NOT_DRAWN = new Set([
  ...PERCENTILES,
  'answerP99',
  'otherChannelP99',
  'lost',
  'unsent',
  'rejected',
  'redisInnerEach',
  'redisReadsEach',
  'redisShare',
  'serverShare',
  'generatorShare',
  'linearity',
]);
const COLOURS = ['#2563eb', '#f59e0b', '#10b981', '#8b5cf6', '#ef4444'];
const HEIGHT = 220;

/** The SVG of a scenario: medians as bars with their spread, latencies as points on a logarithmic scale. */
export async function plot(scenario, summary) {
  const names = scenario.contestants.map(({ name }) => name).filter((name) => summary.contestants[name] !== undefined);
  const figures = (metrics) =>
    names.flatMap((server) => {
      const { metrics: measured, isMarked } = summary.contestants[server];
      return metrics
        .filter((metric) => measured[metric] !== undefined)
        .map((metric) => ({ server: isMarked ? `${server} †` : server, metric, ...measured[metric] }));
    });
  const order = names.map((name) => (summary.contestants[name].isMarked ? `${name} †` : name));
  const colour = { field: 'server', type: 'nominal', scale: { domain: order, range: COLOURS }, legend: null };
  const bars = scenario.columns
    .filter((metric) => !NOT_DRAWN.has(metric))
    .map((metric) => barPanel(METRICS[metric].title, figures([metric]), order, colour));
  const latencies = figures(PERCENTILES.filter((metric) => scenario.columns.includes(metric)));
  const panels = [...bars.filter(({ data }) => data.values.length > 0), ...latencyPanel(latencies, order, colour)];
  const marked = order.some((name) => name.endsWith('†')) ? ['† no run counts: see the table'] : [];
  return render({
    title: { text: `${scenario.id}: ${scenario.title}`, subtitle: marked, anchor: 'start', fontSize: 14, offset: 16 },
    hconcat: panels,
    resolve: { scale: { color: 'independent' } },
    spacing: 36,
  });
}

function barPanel(title, values, order, colour) {
  const y = { title: null, type: 'quantitative', axis: { format: '~s', tickCount: 5 } };
  const x = { field: 'server', type: 'nominal', sort: order, title: null, axis: { labelAngle: 0 } };
  return {
    title: { text: title, fontSize: 12 },
    data: { values },
    height: HEIGHT,
    width: { step: 76 },
    encoding: { x },
    layer: [
      { mark: { type: 'bar', width: 36 }, encoding: { y: { ...y, field: 'median' }, color: colour } },
      { mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { y: { ...y, field: 'min' }, y2: { field: 'max' } } },
    ],
  };
}

function latencyPanel(values, order, colour) {
  const above = values.filter(({ min }) => min > 0);
  if (above.length === 0) return [];
  const y = { title: 'ms', type: 'quantitative', scale: { type: 'log' }, axis: { format: '~g', tickCount: 6 } };
  return [
    {
      title: { text: 'latency', fontSize: 12 },
      data: { values: above },
      height: HEIGHT,
      width: { step: 28 * (order.length + 1), for: 'position' },
      encoding: {
        x: { field: 'metric', type: 'nominal', sort: PERCENTILES, title: null, axis: { labelAngle: 0 } },
        xOffset: { field: 'server', sort: order },
        color: { ...colour, legend: { title: null, orient: 'right' } },
      },
      layer: [
        { mark: { type: 'rule', strokeWidth: 2 }, encoding: { y: { ...y, field: 'min' }, y2: { field: 'max' } } },
        { mark: { type: 'point', filled: true, size: 70, opacity: 1 }, encoding: { y: { ...y, field: 'median' } } },
      ],
    },
  ];
}

export async function render(spec) {
  const config = { font: 'sans-serif', view: { stroke: null }, background: 'white' };
  const view = new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
