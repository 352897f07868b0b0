import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/cluster.js';
import { describeDecision, type Decision, type Fault, type Operation } from './decisions.js';
import { Journal } from './journal.js';
import { Publications } from './publications.js';
import { NODES, Schedule } from './schedule.js';
import { Settling } from './settling.js';
import { SimulatedRedis, type RedisKind } from './simulated-redis.js';
import { Troublemaker } from './troublemaker.js';
import { WebhookWatch } from './webhook-watch.js';
import { World } from './world.js';

/** After so long of it everything is checked, and goes on then. */
const ROUND_MS = 40_000;
const PROGRESS_MS = 5_000;

export interface SimulationOptions {
  readonly seed: number;
  /** How long there is trouble; the time in which it settles comes on top. */
  readonly seconds: number;
  readonly redis: RedisKind;
  readonly print: (line: string) => void;
}

/** Runs a cluster through what a seed has in store for it. The journal has what was wrong. */
export async function simulate({ seed, seconds, redis: kind, print }: SimulationOptions): Promise<Journal> {
  const journal = new Journal();
  const webhooks = await WebhookWatch.start(journal);
  const settings = { webhook_url: webhooks.endpoint.url, subscription_count: '1' };
  const redis = await SimulatedRedis.start(kind);
  const throughProxy = kind === 'single';
  const cluster = await Cluster.start({ nodes: NODES, servers: redis.servers, throughProxy, settings });
  const publications = new Publications(journal);
  const world = new World(cluster, journal, publications);
  const troublemaker = new Troublemaker(world, webhooks, redis);
  const schedule = new Schedule(seed, redis.count);
  const settling = new Settling(world, troublemaker, webhooks, schedule, redis);
  const progress = setInterval(() => print(progressOf(world)), PROGRESS_MS);
  try {
    const rounds = Math.max(1, Math.round((seconds * 1_000) / ROUND_MS));
    for (let round = 1; round <= rounds && journal.violations.length === 0; round++) {
      print(`round ${round} of ${rounds}`);
      await play(schedule, (seconds * 1_000) / rounds, world, troublemaker);
      await settling.run();
      print(`settled after ${journal.settledAfter.at(-1)?.toFixed(1)} s, ${journal.violations.length} violations`);
    }
    return journal;
  } finally {
    clearInterval(progress);
    world.stop();
    await cluster.stop();
    await webhooks.endpoint.stop();
    if (journal.violations.length > 0) print(`everything that happened is in ${save(seed, world)}`);
  }
}

export function summaryOf(journal: Journal): string[] {
  return [
    `decisions: ${journal.list('decision ')}`,
    `webhooks: ${journal.list('webhook ')}, ${journal.countOf('webhooks repeated')} of them twice; seen by clients: ${journal.countOf('member_added seen')} added, ${journal.countOf('member_removed seen')} removed`,
    `events: ${journal.countOf('events published')} published, ${journal.countOf('events delivered')} delivered, ${journal.countOf('deliveries lost')} lost`,
    `publishes: ${journal.list('publish ')}; connections closed by servers: ${journal.list('closed ') || 'none'}`,
    `settled after ${journal.settledAfter.map((seconds) => seconds.toFixed(1)).join(', ')} s`,
    `violations ${journal.violations.length}`,
  ];
}

/** Carries out what was decided for one round, each at its time. */
async function play(schedule: Schedule, lengthMs: number, world: World, troublemaker: Troublemaker): Promise<void> {
  const { journal } = world;
  const began = performance.now();
  for (const { at, decision } of schedule.round(lengthMs)) {
    const wait = began + at - performance.now();
    if (wait > 0) await sleep(wait);
    journal.count(`decision ${decision.kind}`);
    journal.note(describeDecision(decision));
    if (isOperation(decision)) world.carryOut(decision);
    else troublemaker.carryOut(decision);
  }
}

const OPERATIONS = new Set([
  'connect',
  'subscribe',
  'unsubscribe',
  'signIn',
  'close',
  'terminate',
  'clientEvent',
  'publish',
]);

function isOperation(decision: Decision): decision is Exclude<Operation, Fault> {
  return OPERATIONS.has(decision.kind);
}

function progressOf({ journal, living }: World): string {
  const counts = ['events published', 'events delivered', 'member_added seen'].map(
    (name) => `${journal.countOf(name)} ${name}`,
  );
  return `${journal.clock.trim()} s: ${living.length} clients, ${counts.join(', ')}, ${journal.violations.length} violations`;
}

/** Writes down what is needed to find out why. */
function save(seed: number, { journal, clients, cluster }: World): string {
  const folder = mkdtempSync(join(tmpdir(), `pogo-chaos-${seed}-`));
  writeFileSync(join(folder, 'journal.txt'), journal.lines.join('\n'));
  for (const { id, user, socketId, transcript } of clients.values()) {
    const title = `client ${id}, user ${user}, socket ${socketId ?? 'none'}`;
    writeFileSync(join(folder, `client-${id}.txt`), [title, ...transcript].join('\n'));
  }
  for (let node = 0; node < NODES; node++) writeFileSync(join(folder, `node-${node}.txt`), cluster.node(node).output);
  return folder;
}
