import { render } from '../lib/plot.mjs';
import { figuresOf } from './table.mjs';

/** What belongs on one scale. */
const PANELS = [
  ['µs of Redis', /redisMicros$/],
  ['µs of the gateways', /gatewayMicros$/],
  ['commands, and what is published', /^(?!rest).*(commands|published)$/],
  ['at rest: CPU ms per s', /^rest\..*Millis$/],
  ['at rest: commands per s', /^rest\.commands$/],
  ['a join alone, ms', /\.(millis|p99Millis)$/],
  ['bytes each', /BytesEach$|^bytesEach$/],
  ['bytes of the answer', /^answerBytes$/],
  ['s to write everything down again', /^restoredAfterSeconds$/],
];

/** The SVG of an axis: a panel for each unit, a line for each figure. */
export async function draw(axis, points) {
  const values = figuresOf(points, axis).flatMap(({ x, figures }) =>
    Object.entries(figures).map(([name, y]) => ({ x, y: Math.max(0, y), name })),
  );
  const panels = PANELS.map(([title, pattern]) => ({ title, values: values.filter(({ name }) => pattern.test(name)) }));
  return render({
    title: { text: `How cost grows with ${axis}`, anchor: 'start', fontSize: 14, offset: 16 },
    columns: 3,
    concat: panels.filter((panel) => panel.values.length > 0).map((panel) => panelOf(axis, panel)),
    resolve: { scale: { color: 'independent' } },
    spacing: 36,
  });
}

function panelOf(axis, { title, values }) {
  return {
    title: { text: title, fontSize: 12 },
    data: { values },
    width: 220,
    height: 180,
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: axis, axis: { format: '~s', tickCount: 4 } },
      y: { field: 'y', type: 'quantitative', title: null, axis: { format: '~s', tickCount: 5 } },
      color: { field: 'name', type: 'nominal', title: null, legend: { orient: 'bottom', columns: 2 } },
    },
  };
}
