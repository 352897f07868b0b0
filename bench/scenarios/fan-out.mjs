import { ofRun } from '../lib/metrics.mjs';
import { ALL_DELIVERED, BOTH, FAN_OUT } from './contestants.mjs';

const SOCKETS = 1_000;

const PUBLISHER = { name: 'p', channel: 'news', bytes: 200 };

/** One channel with 1,000 sockets; what `publisher` says is published to it. */
async function fanOut({ loadgen, timing }, publisher) {
  await loadgen.send('connect', { group: 'subscribers', count: SOCKETS, channel: 'news' });
  await loadgen.send('publisher', { ...PUBLISHER, ...publisher });
  return ofRun(await loadgen.send('run', timing));
}

/** Of the warm-up: more than that and a server that drowns would still be at it when the measured part begins. */
const WARM_UP_RATE = 300;

/** The same at a fixed rate. What the warm-up leaves to do is done, so that all that is delivered then is measured. */
async function fanOutAt(rate, { loadgen, timing: { warmup, ...timing } }) {
  await loadgen.send('connect', { group: 'subscribers', count: SOCKETS, channel: 'news' });
  await loadgen.send('publisher', { ...PUBLISHER, mode: 'open', rate: Math.min(rate, WARM_UP_RATE) });
  await loadgen.send('run', { seconds: warmup, warmup: 0, drain: timing.drain });
  await loadgen.send('publisher', { ...PUBLISHER, mode: 'open', rate });
  return ofRun(await loadgen.send('run', { ...timing, warmup: 0 }));
}

const openLoop = (id, rate, targets) => ({
  id,
  family: id,
  title: `1 channel × ${SOCKETS.toLocaleString('en-US')} sockets, ${rate.toLocaleString('en-US')} events/s, open loop`,
  contestants: BOTH,
  columns: FAN_OUT,
  targets,
  measure: (bench) => fanOutAt(rate, bench),
});

export const fanOutScenarios = [
  openLoop('a', 25, [
    { metric: 'cpuPerDelivery', to: 'soketi', atMost: 0.85 },
    { metric: 'p99', to: 'soketi', atMost: 1 },
  ]),
  openLoop('a100', 100, [...ALL_DELIVERED, { metric: 'p99', atMost: 50 }]),
  openLoop('a300', 300, [...ALL_DELIVERED, { metric: 'p99', atMost: 100 }]),
  openLoop('a1000', 1_000, [...ALL_DELIVERED, { metric: 'p99', atMost: 100 }]),
  {
    id: 'b',
    family: 'b',
    title: '1 channel × 1,000 sockets, closed loop, 16 requests in flight',
    contestants: BOTH,
    columns: [...FAN_OUT, 'rejected'],
    targets: [
      { metric: 'deliveriesPerSecond', to: 'soketi', atLeast: 8 },
      { metric: 'p99', atMost: 60 },
      { metric: 'rejected', atMost: 0, everyRun: true },
      ...ALL_DELIVERED,
    ],
    measure: (bench) => fanOut(bench, { mode: 'closed', inflight: 16 }),
  },
];
