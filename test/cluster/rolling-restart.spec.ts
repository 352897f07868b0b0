import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { becomes, stateOf, stateWith, usersNamed } from '../support/roster-watch.js';
import { WebhookEndpoint } from '../support/webhook-endpoint.js';

const NODES = 3;
const MEMBERS = 30;
const ROOM = 'presence-room';
const TALK = 'private-talk';
const TIMEOUT_MS = START_TIMEOUT_MS + 120_000;

/** Somebody who comes back, elsewhere, whenever the connection ends. */
class Resident {
  private client: Client | undefined;
  private hasStopped = false;
  private readonly ended: Promise<void>;

  /** @param dwell what it does while it is connected; ends when the connection does. */
  constructor(
    private readonly cluster: Cluster,
    private next: number,
    private readonly dwell: (client: Client) => Promise<void>,
  ) {
    this.ended = this.run();
  }

  async stop(): Promise<void> {
    this.hasStopped = true;
    this.client?.terminate();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.hasStopped) {
      const node = this.cluster.node(this.next++ % NODES);
      const client = (this.client = new Client(node.url(), { app: APP }));
      try {
        await client.established();
        await this.dwell(client);
      } catch {
        // The node is not there at the moment, or has gone: the next one, but not a thousand times a second.
        await sleep(20);
      } finally {
        client.terminate();
      }
    }
  }
}

describe('A rolling restart of three nodes under load', () => {
  it(
    'loses no webhook that was accepted, and no member for good',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const endpoint = await WebhookEndpoint.start();
      onTestFinished(() => endpoint.stop());
      const cluster = await Cluster.start({
        settings: {
          webhook_url: endpoint.url,
          webhook_events: 'client_event,member_added,member_removed',
          client_msg_rate_limit: '-1',
          shutdown_timeout: '5s',
        },
      });
      onTestFinished(() => cluster.stop());
      const residents: Resident[] = [];
      onTestFinished(async () => {
        await Promise.all(residents.map((resident) => resident.stop()));
      });

      const names = usersNamed('user', MEMBERS);
      for (const [n, id] of names.entries()) {
        residents.push(
          new Resident(cluster, n, async (client) => {
            await client.subscribe(ROOM, { user_id: id });
            await client.closing();
          }),
        );
      }
      /** What somebody else received: the server has accepted it. */
      const accepted = new Set<string>();
      let sent = 0;
      const listen = (client: Client) => {
        client.socket.on('message', (text: Buffer) => {
          const { event, data } = JSON.parse(text.toString()) as { event: string; data: unknown };
          if (event === 'client-said') accepted.add(String(data));
        });
      };
      const talkers = Array.from({ length: NODES }, (_, n) => {
        return new Resident(cluster, n, async (client) => {
          listen(client);
          await client.subscribe(TALK);
          for (let isOpen = true; isOpen; await sleep(10)) {
            client.send({ event: 'client-said', channel: TALK, data: String(sent++) });
            isOpen = client.socket.readyState === client.socket.OPEN;
          }
        });
      });
      residents.push(...talkers);

      await becomes(30, stateWith(names), () => stateOf(cluster.node(0), ROOM));
      for (let n = 0; n < NODES; n++) {
        const before = accepted.size;
        await cluster.replaceNode(n);
        // Nodes are replaced while there is something to lose.
        await becomes(30, true, () => accepted.size > before + 20);
      }
      await Promise.all(talkers.map((talker) => talker.stop()));

      for (let n = 0; n < NODES; n++) await becomes(30, stateWith(names), () => stateOf(cluster.node(n), ROOM));
      expect(accepted.size).toBeGreaterThan(100);
      const told = () => {
        const events = endpoint.taken.flatMap(({ events: all }) => all as readonly { name: string; data?: unknown }[]);
        return new Set(events.filter(({ name }) => name === 'client_event').map(({ data }) => String(data)));
      };
      await becomes(60, [], () => {
        const all = told();
        return [...accepted].filter((data) => !all.has(data)).slice(0, 10);
      });
      // Who is in the room now came last, by webhook as well; everybody is.
      const last = new Map<string, string>();
      await becomes(30, MEMBERS, () => {
        last.clear();
        for (const { events } of endpoint.taken) {
          for (const { name, user_id: id } of events)
            if (id !== undefined && name.startsWith('member_')) last.set(id, name);
        }
        return [...last.values()].filter((name) => name === 'member_added').length;
      });
    },
  );
});
