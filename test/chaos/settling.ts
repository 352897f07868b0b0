import { setTimeout as sleep } from 'node:timers/promises';
import { RedisNode, RedisOptions } from '@pogo/hub';
import { APP } from '../support/gateway.js';
import { CHANNELS, isCached, USERS } from './channels.js';
import { checkOrder, forgetOrder } from './order.js';
import { NODES, type Schedule } from './schedule.js';
import { wrongWithClients } from './settled-clients.js';
import { wrongInRedis } from './settled-redis.js';
import { wrongWithServer } from './settled-servers.js';
import type { SimulatedRedis } from './simulated-redis.js';
import type { Troublemaker } from './troublemaker.js';
import { difference, Truth } from './truth.js';
import type { WebhookWatch } from './webhook-watch.js';
import type { World } from './world.js';

/** A dead node takes up to 15 s, and an empty restart 10 s, before all is right; not both one after the other. */
const SETTLING_MS = 25_000;
const LOOK_AGAIN_MS = 250;
const PROBE_MS = 20_000;

/** Makes no more trouble, waits until all is right again, and reports what is not. */
export class Settling {
  constructor(
    private readonly world: World,
    private readonly troublemaker: Troublemaker,
    private readonly webhooks: WebhookWatch,
    private readonly schedule: Schedule,
    private readonly redis: SimulatedRedis,
  ) {}

  async run(): Promise<void> {
    const { world } = this;
    const { journal, publications } = world;
    await this.troublemaker.settled();
    const began = performance.now();
    journal.note('settling');
    await world.publishers.settled();
    let problems = await this.problems();
    while (problems.length > 0 && performance.now() - began < SETTLING_MS) {
      await sleep(LOOK_AGAIN_MS);
      problems = await this.problems();
    }
    const seconds = (performance.now() - began) / 1_000;
    journal.note(`settled after ${seconds.toFixed(1)} s`);
    journal.settledAfter.push(seconds);
    for (const problem of problems) journal.violation('settled', problem);
    await this.probe();
    for (const problem of await this.usersOnline()) journal.violation('settled', problem);
    if (problems.length === 0) {
      for (const problem of await this.problems()) journal.violation('unsettled', problem);
    }
    world.judgeSuspicions();
    publications.countLost();
    checkOrder(world);
    forgetOrder(world);
  }

  private async problems(): Promise<string[]> {
    const { world } = this;
    const truth = new Truth(world);
    const told = wrongWithClients(world, truth);
    const nodes = Array.from({ length: NODES }, (_, node) =>
      wrongWithServer(node, world.cluster.node(node).http, truth),
    );
    const readiness = Array.from({ length: NODES }, async (_, node) => {
      const { status } = await world.cluster
        .node(node)
        .readiness()
        .catch(() => ({ status: 0 }));
      return difference(`node ${node}, readiness`, status, 200);
    });
    return [
      ...told,
      ...this.webhooks.problems(truth),
      ...(await Promise.all(readiness)).flat(),
      ...(await Promise.all(nodes)).flat(),
      // Where servers take each other's places, the answer may be that it is another's by now: it is asked for again.
      ...(await wrongInRedis(this.redis.inspector, truth).catch((error: unknown) => [String(error)])),
    ];
  }

  /** One event for every channel: each subscriber gets it once, and nobody else. */
  private async probe(): Promise<void> {
    const { world, schedule } = this;
    const { journal, publications, cluster } = world;
    const probes = CHANNELS.map((channel, index) => ({ channel, number: schedule.nextNumber(), node: index % NODES }));
    for (const { channel, number, node } of probes) {
      const publication = publications.sent({ number, channels: [channel] }, world.living);
      const { status } = await cluster.node(node).http.publish(channel, 'e', JSON.stringify({ number }));
      publications.answered(publication, status === 200 ? 'ok' : 'unknown');
      if (status !== 200) journal.violation('probe', `node ${node} answered ${status} to a publish to ${channel}`);
    }
    const missing = () =>
      probes.flatMap(({ channel, number }) =>
        world.subscribersOf(channel).filter(({ views }) => views.get(channel)?.has(number) !== true),
      );
    const began = performance.now();
    while (missing().length > 0 && performance.now() - began < PROBE_MS) await sleep(20);
    for (const { channel, number } of probes) {
      for (const client of world.living) {
        const has = client.views.get(channel)?.has(number) === true;
        if (has === client.wants(channel)) continue;
        const what = has ? 'got, without being subscribed,' : 'did not get';
        journal.violation('probe', `client ${client.id} ${what} event ${number} of ${channel}`);
      }
    }
    for (const { channel, number } of probes.filter((probe) => isCached(probe.channel))) {
      for (let node = 0; node < NODES; node++) await this.probeCache(node, channel, number);
    }
  }

  /** The last event of a channel, on every node. */
  private async probeCache(node: number, channel: string, number: number): Promise<void> {
    const { cluster, journal } = this.world;
    const { body } = await cluster.node(node).http.get(`/channels/${channel}`, { info: 'cache' });
    const { cache } = body as { cache?: { data: string } | null };
    for (const problem of difference(`node ${node}, cache of ${channel}`, cache?.data, JSON.stringify({ number }))) {
      journal.violation('cache', problem);
    }
  }

  /** As another part of the cluster reads it. */
  private async usersOnline(): Promise<string[]> {
    const { world } = this;
    const node = new RedisNode(new RedisOptions(this.redis.options));
    node.onModuleInit();
    try {
      const { users } = node;
      for (let attempts = 0; attempts < 750 && !node.channels.isAvailable; attempts++) await sleep(20);
      const states = await users.findUsers(APP.id, USERS);
      const online = USERS.filter((userId) => states.get(userId)?.isOnline);
      return difference('users online', [...online].sort(), [...new Truth(world).online.keys()].sort());
    } finally {
      await node.onApplicationShutdown();
    }
  }
}
