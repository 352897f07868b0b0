import { readFile } from 'node:fs/promises';
import { ofRun } from '../lib/metrics.mjs';
import { ALL_DELIVERED, FAN_OUT, SOKETI } from './contestants.mjs';

const SOCKETS = 1_000;
const CHURNING = 100;
const PUBLISHER = { name: 'p', mode: 'open', rate: 100, channel: 'news' };

/** a100 with whatever the contestant asks for. */
async function a100({ loadgen, timing, contestant }) {
  const { bytes = 200, joins } = contestant;
  await loadgen.send('connect', { group: 'subscribers', count: SOCKETS, channel: 'news' });
  await loadgen.send('publisher', { ...PUBLISHER, bytes });
  if (joins === undefined) return ofRun(await loadgen.send('run', timing));
  await loadgen.send('connect', { group: 'churning', count: CHURNING, channel: 'news' });
  await loadgen.send('churn', { name: 'c', group: 'churning', channel: 'news', rate: joins });
  return ofRun(await loadgen.send('run', { ...timing, ignore: 'churning' }));
}

const SLICE_SECONDS = 58;
/** Of the run: the heap finds its size. */
const SETTLING = 1 / 6;

/** a100 with churn, minute by minute; what a server that forgets nothing would not survive. */
async function soak({ loadgen, server, timing, report }) {
  await loadgen.send('connect', { group: 'subscribers', count: SOCKETS, channel: 'news' });
  await loadgen.send('connect', { group: 'churning', count: CHURNING, channel: 'news' });
  const until = performance.now() + timing.seconds * 1_000;
  const samples = [];
  for (let slice = 1; performance.now() < until; slice++) {
    const seconds = Math.max(1, Math.min(SLICE_SECONDS, (until - performance.now()) / 1_000));
    await loadgen.send('publisher', { ...PUBLISHER, bytes: 200 });
    await loadgen.send('churn', { name: 'joins', group: 'churning', channel: 'news', rate: 100 });
    await loadgen.send('reconnect', { name: 'reconnects', group: 'churning', rate: 20 });
    const answer = await loadgen.send('run', { ...timing, seconds: Math.ceil(seconds), ignore: 'churning' });
    const pssMiB = (await pssBytes(server.pid)) / 2 ** 20;
    samples.push({ hours: performance.now() / 3_600_000, pssMiB, ...ofRun(answer) });
    report(`minute ${slice}: ${pssMiB.toFixed(1)} MiB, p99 ${answer.latencyMs.p99} ms, lost ${answer.lost}`);
  }
  const sum = (metric) => samples.reduce((total, sample) => total + sample[metric], 0);
  const worst = (metric) => Math.max(...samples.map((sample) => sample[metric]));
  const mean = (metric) => sum(metric) / samples.length;
  return {
    deliveriesPerSecond: mean('deliveriesPerSecond'),
    p50: worst('p50'),
    p99: worst('p99'),
    p999: worst('p999'),
    cpuPerDelivery: mean('cpuPerDelivery'),
    pssMiB: samples.at(-1).pssMiB,
    growthMiBPerHour: slope(samples.slice(Math.floor(samples.length * SETTLING))),
    lost: sum('lost'),
    unsent: sum('unsent'),
    generatorShare: worst('generatorShare'),
  };
}

async function pssBytes(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)[1]) * 1_024;
}

/** Least squares over the samples. */
function slope(samples) {
  const mean = (of) => samples.reduce((total, sample) => total + of(sample), 0) / samples.length;
  const hours = mean((sample) => sample.hours);
  const size = mean((sample) => sample.pssMiB);
  const over = mean((sample) => (sample.hours - hours) * (sample.pssMiB - size));
  return over / mean((sample) => (sample.hours - hours) ** 2);
}

const PLAIN = { name: 'plain', kind: 'pogo' };
const variant = (name, what) => ({ ...PLAIN, name, comparedTo: 'plain', ...what });

/** Shorter events than this would travel as they are. The data is base64 of noise, which shrinks by a quarter. */
const COMPRESSION = { bytes: 1_000, deflate: true, settings: { enable_compression: true } };

export const variantScenarios = [
  {
    id: 'j',
    family: 'j',
    title: 'a100 with TLS, with 1 KB events, plain and compressed, with 10 KB events',
    contestants: [
      PLAIN,
      variant('TLS', { tls: true }),
      variant('1 KB', { bytes: 1_000 }),
      { ...variant('1 KB deflated', COMPRESSION), comparedTo: ['plain', '1 KB'] },
      variant('10 KB', { bytes: 10_000 }),
    ],
    alone: 'it compares this server with itself',
    runs: 3,
    columns: [...FAN_OUT, 'bytesPerDelivery'],
    targets: [],
    measure: a100,
  },
  {
    id: 'l',
    family: 'l',
    title: '100 joins and leaves per second of 100 more sockets under a100',
    contestants: [
      PLAIN,
      { ...variant('pogo', { joins: 100 }), comparedTo: ['plain', 'soketi'] },
      { ...SOKETI, joins: 100 },
    ],
    note: 'Deliveries are those of the 1,000 sockets that stay; plain is pogo without the other 100.',
    columns: FAN_OUT,
    targets: [],
    measure: a100,
  },
  {
    id: 'm',
    family: 'm',
    title: '30 minutes of a100 with 100 joins and leaves and 20 reconnects per second',
    contestants: [{ name: 'pogo', kind: 'pogo' }],
    alone: 'it is about what this server forgets to forget',
    note: 'Percentiles are those of the worst minute; growth is a least-squares line through the PSS after the first sixth.',
    onlyByName: true,
    runs: 1,
    seconds: 1_800,
    columns: [...FAN_OUT.filter((metric) => metric !== 'serverShare'), 'pssMiB', 'growthMiBPerHour'],
    targets: [...ALL_DELIVERED, { metric: 'growthMiBPerHour', atMost: 10 }],
    measure: soak,
  },
];
