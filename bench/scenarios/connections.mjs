import { setTimeout as sleep } from 'node:timers/promises';
import { ofRun } from '../lib/metrics.mjs';
import { ALL_DELIVERED, BOTH, FAN_OUT, WITH_BARE } from './contestants.mjs';

const WARM_UP_CONNECTIONS = 1_000;
const CONNECTIONS = 5_000;

/** Connecting and subscribing, after as much of it as lets the compiler settle. */
async function connecting({ loadgen }) {
  await loadgen.send('connect', { group: 'warm-up', count: WARM_UP_CONNECTIONS, channel: 'lobby' });
  await loadgen.send('drop', { group: 'warm-up' });
  const answer = await loadgen.send('connect', { group: 'all', count: CONNECTIONS, channel: 'lobby' });
  return {
    connectionsPerSecond: answer.connected / answer.seconds,
    cpuPerConnection: (answer.serverCpuSeconds * 1e6) / answer.connected,
    serverShare: (answer.serverCpuSeconds / answer.seconds) * 100,
    generatorShare: answer.loadgenCpuShare * 100,
  };
}

const STEPS = [2_000, 6_000, 10_000];
const SETTLE_MS = 3_000;
const SAMPLES = 4;
const SAMPLE_MS = 250;

/** Proportional set size at three counts of idle subscribed connections. */
async function memory({ loadgen, timing }) {
  const sizes = [];
  let connected = 0;
  for (const count of STEPS) {
    await loadgen.send('connect', { group: `upto${count}`, count: count - connected, channel: 'lobby' });
    connected = count;
    await sleep(Math.min(SETTLE_MS, timing.seconds * 500));
    sizes.push(await smallestPss(loadgen));
  }
  const slope = (from, to) => (sizes[to] - sizes[from]) / (STEPS[to] - STEPS[from]);
  return {
    kilobytesPerConnection: slope(0, 2) / 1_000,
    linearity: slope(1, 2) / slope(0, 1),
    pssMiB: sizes[2] / 2 ** 20,
  };
}

/** Between two garbage collections a heap only grows: the smallest of some samples says most. */
async function smallestPss(loadgen) {
  let smallest = Infinity;
  for (let i = 0; i < SAMPLES; i++) {
    const { pssBytes } = await loadgen.send('rss');
    smallest = Math.min(smallest, pssBytes);
    await sleep(SAMPLE_MS);
  }
  return smallest;
}

const MEMBERS = 50;

/** Every member whispers to all the others as soon as they have heard the last one. */
async function whispering({ loadgen, timing }) {
  await loadgen.send('connect', { group: 'members', count: MEMBERS, channel: 'private-room' });
  await loadgen.send('clients', { name: 'c', group: 'members', channel: 'private-room', bytes: 200 });
  return ofRun(await loadgen.send('run', timing));
}

export const connectionScenarios = [
  {
    id: 'd',
    family: 'd',
    title: '5,000 connect + subscribe, 64 at a time',
    contestants: WITH_BARE,
    columns: ['connectionsPerSecond', 'cpuPerConnection', 'serverShare', 'generatorShare'],
    targets: [{ metric: 'cpuPerConnection', to: 'soketi', atMost: 1.4 }],
    measure: connecting,
  },
  {
    id: 'e',
    family: 'e',
    title: '10,000 subscribed connections: PSS slope between 2,000 and 10,000',
    contestants: WITH_BARE,
    columns: ['kilobytesPerConnection', 'linearity', 'pssMiB'],
    targets: [{ metric: 'kilobytesPerConnection', atMost: 7 }],
    measure: memory,
  },
  {
    id: 'f',
    family: 'f',
    title: '50 members of one private channel, each with one client event in flight',
    contestants: BOTH,
    columns: FAN_OUT,
    targets: [{ metric: 'deliveriesPerSecond', to: 'soketi', atLeast: 4 }, ...ALL_DELIVERED],
    measure: whispering,
  },
];
