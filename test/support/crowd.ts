import { expect, type TestContext } from 'vitest';
import type { Client } from './client.js';
import type { GatewayProcess } from './gateway-process.js';
import { expectDelivery, LoadPublisher, nodeOf } from './load-publisher.js';
import { becomes, RosterWatch, stateOf, stateWith, usersNamed } from './roster-watch.js';

const JOINERS = ['joiner-0', 'joiner-1', 'joiner-2'];

/** Where they are, and where the publishers publish. */
export interface CrowdChannels {
  readonly room: string;
  readonly load: string;
}

/** Members of a presence channel on several nodes, who are acquainted, and a publisher and a listener on each node. */
export class Crowd {
  private readonly joining: Promise<RosterWatch>[] = [];

  private constructor(
    readonly nodes: readonly GatewayProcess[],
    private readonly channels: CrowdChannels,
    /** `user-0000` and so on, on the nodes in turn. */
    readonly names: readonly string[],
    readonly watches: RosterWatch[],
    private readonly listeners: readonly Client[],
    readonly publishers: readonly LoadPublisher[],
  ) {}

  static async gather(
    nodes: readonly GatewayProcess[],
    channels: CrowdChannels,
    members: number,
    { onTestFinished }: TestContext,
  ): Promise<Crowd> {
    const { room, load } = channels;
    const names = usersNamed('user', members);
    const watches = await Promise.all(names.map((id, i) => RosterWatch.join(nodeOf(nodes, i), room, id)));
    const listeners = await Promise.all(nodes.map((node) => node.connect()));
    for (const listener of listeners) await listener.subscribe(load);
    await RosterWatch.acquainted(watches, room, members);
    const publishers = nodes.map((node, i) => new LoadPublisher(node, load, `from-${i}`));
    onTestFinished(() => Promise.all(publishers.map((publisher) => publisher.stop())).then(() => undefined));
    for (const publisher of publishers) await becomes(20, true, () => publisher.numberOf(200) > 20);
    return new Crowd(nodes, channels, names, watches, listeners, publishers);
  }

  /** While Redis is away: three come who were not there, one whose user is elsewhere, and one leaves. */
  async comeAndGo(): Promise<void> {
    this.joining.push(...JOINERS.map((name, i) => this.join(name, i)), this.join('user-0001', 0));
    await this.watches.shift()?.leave();
  }

  /** Everybody knows that, and three more tabs of those who were there, so many seconds from now. */
  async isRight(seconds: number): Promise<void> {
    const { nodes, names, joining } = this;
    const { room, load } = this.channels;
    const began = performance.now();
    const remaining = () => seconds - (performance.now() - began) / 1_000;
    // Their users are elsewhere: `user-0002` on the third node, and so on.
    joining.push(...nodes.map((_, i) => this.join(names[i + 2] ?? '', i)));
    for (const node of nodes) {
      await becomes(remaining(), this.state(joining.length), () => stateOf(node, room));
      await becomes(remaining(), 200, async () => (await node.readiness()).status);
    }
    for (const watch of [...this.watches, ...(await Promise.all(joining))]) {
      await becomes(remaining(), this.everybody, () => watch.members(room));
    }
    await expectDelivery(load, nodes, this.listeners);
  }

  /**
   * Nobody was told of anything else, nor of anything twice, and publishers had their answers soon.
   * @param mayRepeat what Redis itself may have repeated.
   */
  async noticedNothingElse(mayRepeat: (id: string) => boolean = () => false): Promise<void> {
    await this.expectEventsOnce(mayRepeat);
    for (const { answers } of this.publishers) {
      for (const { status, body, seconds } of answers.filter((answer) => answer.status !== 200)) {
        expect([status, body, seconds < 4]).toEqual([500, expect.objectContaining({ status: 6 }), true]);
      }
    }
    const joined = await Promise.all(this.joining);
    for (const node of this.nodes) {
      await becomes(10, this.state(joined.length), () => stateOf(node, this.channels.room));
    }
    for (const watch of this.watches) {
      await watch.client.settle();
      expect([...watch.changes].sort()).toEqual([...JOINERS.map((name) => `+${name}`), '-user-0000']);
    }
    for (const watch of [...this.watches, ...joined]) expect(watch.violations).toEqual([]);
  }

  /** Stops the publishers first. */
  async expectEventsOnce(mayRepeat: (id: string) => boolean = () => false): Promise<void> {
    for (const publisher of this.publishers) await publisher.stop();
    await expectDelivery(this.channels.load, this.nodes, this.listeners);
    for (const listener of this.listeners) {
      const events = (await listener.settle()).filter(({ event }) => event === 'load');
      const ids = events.map(({ data }) => data as string);
      expect(ids.filter((id, at) => ids.indexOf(id) !== at && !mayRepeat(id))).toEqual([]);
    }
  }

  private join(name: string, at: number): Promise<RosterWatch> {
    return RosterWatch.join(nodeOf(this.nodes, at), this.channels.room, name);
  }

  private state(joined: number): object {
    return stateWith(this.everybody, this.watches.length + joined);
  }

  private get everybody(): string[] {
    return [...JOINERS, ...this.names.slice(1)];
  }
}
