import { ofRun } from '../lib/metrics.mjs';
import { ALL_DELIVERED, BOTH, WITH_BARE } from './contestants.mjs';

const CHANNELS = 1_000;
const PATTERN = 'room-%d';

/** The columns of a scenario in which one event reaches one socket. */
export const COLUMNS = [
  'eventsPerSecond',
  'p50',
  'p99',
  'p999',
  'answerP99',
  'cpuPerEvent',
  'lost',
  'unsent',
  'serverShare',
  'generatorShare',
];

/** 1,000 channels with one socket each: what a publish costs when there is next to nothing to fan out. */
async function publishing({ loadgen, timing }, publisher) {
  await loadgen.send('connect', { group: 'subscribers', count: CHANNELS, channel: PATTERN });
  await loadgen.send('publisher', { name: 'p', channel: PATTERN, of: CHANNELS, bytes: 200, ...publisher });
  const answer = await loadgen.send('run', timing);
  // One event is one delivery here, whatever a request carries.
  const { deliveriesPerSecond, cpuPerDelivery, ...others } = ofRun(answer);
  return { ...others, eventsPerSecond: deliveriesPerSecond, cpuPerEvent: cpuPerDelivery };
}

const scenario = (id, family, what, publisher, targets) => ({
  id,
  family,
  title: `1,000 channels × 1 socket, ${what}`,
  // Batches are more than the bare server knows.
  contestants: publisher.batch === undefined ? WITH_BARE : BOTH,
  // A request is more code to compile than a delivery is.
  warmup: 4,
  columns: COLUMNS,
  targets,
  measure: (bench) => publishing(bench, publisher),
});

const cpuAtMost = (atMost) => ({ metric: 'cpuPerEvent', to: 'soketi', atMost });

const METRICS_OFF = { name: 'off', kind: 'pogo' };

export const publishScenarios = [
  scenario('c', 'c', '2,000 events/s, keep-alive', { mode: 'open', rate: 2_000 }, [cpuAtMost(0.5), ...ALL_DELIVERED]),
  scenario('c-close', 'c', '2,000 events/s, Connection: close', { mode: 'open', rate: 2_000, keepalive: 0 }, [
    cpuAtMost(0.8),
    ...ALL_DELIVERED,
  ]),
  scenario('c-max', 'c-max', 'closed loop, 16 requests in flight', { mode: 'closed', inflight: 16 }, [
    cpuAtMost(0.6),
    ...ALL_DELIVERED,
  ]),
  scenario('i', 'i', 'closed loop, 16 batches of 10 in flight', { mode: 'closed', inflight: 16, batch: 10 }, [
    ...ALL_DELIVERED,
  ]),
  {
    id: 'q',
    family: 'q',
    title: '1,000 channels × 1 socket, 2,000 events/s, with metrics',
    contestants: [
      METRICS_OFF,
      { ...METRICS_OFF, name: 'on', comparedTo: 'off', settings: { metrics_port: 0 } },
      { ...METRICS_OFF, name: 'hot path', comparedTo: 'off', settings: { metrics_port: 0, hot_path_metrics: true } },
    ],
    alone: 'it compares this server with itself',
    note: 'A publish for each delivery: what is counted for a publish weighs most here.',
    onlyByName: true,
    warmup: 4,
    runs: 5,
    columns: COLUMNS,
    targets: [{ metric: 'cpuPerEvent', of: 'on', to: 'off', atMost: 1.03 }, ...ALL_DELIVERED],
    measure: (bench) => publishing(bench, { mode: 'open', rate: 2_000 }),
  },
];
