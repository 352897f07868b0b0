import { lineThrough } from './measure.mjs';

/** Every figure of an axis by its path, `join.redisMicros` and so on. */
export function figuresOf(points, axis) {
  return points.map((point) => ({ x: point[axis], figures: Object.fromEntries(flat(point, axis)) }));
}

function flat(value, axis, path = '') {
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === axis) return [];
    return typeof inner === 'object' ? flat(inner, axis, `${path}${name}.`) : [[path + name, inner]];
  });
}

/** Rows are figures, columns are points, and the last is the line through them. */
export function tableOf(axis, points) {
  const rows = figuresOf(points, axis);
  const names = Object.keys(rows[0].figures);
  const lines = [
    `| ${axis} | ${rows.map(({ x }) => x.toLocaleString('en')).join(' | ')} | a + b·x |`,
    `|---|${rows.map(() => '--:').join('|')}|---|`,
  ];
  for (const name of names) {
    const { a, b, explained } = lineThrough(rows.map(({ x, figures }) => ({ x, y: figures[name] })));
    const line = `${short(a)} + ${short(b)}·x (R² ${explained.toFixed(2)})`;
    lines.push(`| ${name} | ${rows.map(({ figures }) => short(figures[name])).join(' | ')} | ${line} |`);
  }
  return lines.join('\n');
}

function short(number) {
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString('en');
  return String(Number(number.toPrecision(2)));
}
