import { CHANNELS, USERS } from './channels.js';
import type { Decision, Item, Operation, TimedDecision } from './decisions.js';
import { Dice } from './dice.js';
import { FaultPlan } from './fault-plan.js';

export const NODES = 3;
export const PUBLISHERS = 4;

/** Around which their number swings; there are so many, with some channels each, before the first trouble. */
const CLIENTS = 70;
const FIRST_CHANNELS = 3;
const OPERATIONS_PER_SECOND = 30;
const RECONNECTING_SHARE = 0.6;
const WEIGHTS = {
  comeOrGo: 16,
  subscribe: 28,
  unsubscribe: 11,
  signIn: 3,
  publish: 24,
  batch: 4,
  clientEvent: 12,
};

/** A client as it was decided. What becomes of it in the cluster makes no difference here. */
interface Puppet {
  readonly client: number;
  readonly node: number;
  readonly user: string;
  readonly channels: Set<string>;
  isSignedIn: boolean;
}

/**
 * All decisions of a run, from the seed alone: neither time nor what the cluster answers has a part in them, so that a
 * seed repeats them.
 */
export class Schedule {
  private readonly dice: Dice;
  private puppets: Puppet[] = [];
  private clients = 0;
  private numbers = 0;
  private readonly down = new Set<number>();

  /** @param servers that Redis consists of. */
  constructor(
    seed: number,
    private readonly servers: number,
  ) {
    this.dice = new Dice(seed);
  }

  /** The decisions of the next round, in order. */
  round(lengthMs: number): TimedDecision[] {
    const { dice } = this;
    const planned = new FaultPlan(dice, NODES, lengthMs, this.servers).decisions;
    const decisions: TimedDecision[] = [];
    const returning: { readonly at: number; readonly puppet: Puppet }[] = [];
    const decide = (at: number, decision: Decision | undefined): void => {
      if (decision !== undefined) decisions.push({ at, decision });
    };
    if (this.clients === 0) for (const operation of this.audience()) decide(0, operation);
    for (let at = 0; at < lengthMs; at += dice.between(0, 2_000 / OPERATIONS_PER_SECOND)) {
      while ((planned[0]?.at ?? Infinity) <= at) {
        const fault = planned.shift() as TimedDecision;
        decide(fault.at, fault.decision);
        if (fault.decision.kind === 'killNode') returning.push(...this.kill(fault.decision.node, fault.at));
        if (fault.decision.kind === 'startNode') this.down.delete(fault.decision.node);
      }
      for (const back of returning.filter((each) => each.at <= at)) {
        returning.splice(returning.indexOf(back), 1);
        for (const decision of this.comeBack(back.puppet)) decide(at, decision);
      }
      decide(at, this.operation());
    }
    for (const { decision } of planned) {
      decide(lengthMs, decision);
      if (decision.kind === 'startNode') this.down.delete(decision.node);
    }
    return decisions;
  }

  /** A number for an event that is no decision: the check after settling publishes as well. */
  nextNumber(): number {
    return ++this.numbers;
  }

  private operation(): Operation | undefined {
    const { dice, puppets } = this;
    const kind = dice.weighted(WEIGHTS);
    if (kind === 'comeOrGo') return dice.happens(puppets.length / (2 * CLIENTS)) ? this.leave() : this.connect();
    if (kind === 'publish' || kind === 'batch') return this.publish(kind === 'batch');
    const puppet = dice.pick(puppets);
    if (puppet === undefined) return undefined;
    const { client, channels } = puppet;
    switch (kind) {
      case 'subscribe':
        return this.subscribe(puppet);
      case 'unsubscribe': {
        const channel = dice.pick([...channels]);
        if (channel === undefined) return undefined;
        channels.delete(channel);
        return { kind, client, channel };
      }
      case 'signIn':
        puppet.isSignedIn = true;
        return { kind, client };
      case 'clientEvent': {
        const channel = dice.pick([...channels].filter((name) => /^(private|presence)-/.test(name)));
        return channel === undefined ? undefined : { kind, client, channel, number: this.nextNumber() };
      }
    }
  }

  /** Everybody who is there from the beginning. */
  private *audience(): Iterable<Operation> {
    for (let i = 0; i < CLIENTS; i++) {
      yield this.connect();
      const puppet = this.puppets.at(-1) as Puppet;
      for (let n = 0; n < FIRST_CHANNELS; n++) yield this.subscribe(puppet);
    }
  }

  private subscribe({ client, channels }: Puppet): Operation {
    // Now and then one that it has already.
    const channel = this.dice.pick(CHANNELS) ?? '';
    channels.add(channel);
    return { kind: 'subscribe', client, channel };
  }

  private leave(): Operation | undefined {
    const puppet = this.dice.pick(this.puppets);
    if (puppet === undefined) return undefined;
    this.puppets = this.puppets.filter((other) => other !== puppet);
    return { kind: this.dice.happens(0.5) ? 'close' : 'terminate', client: puppet.client };
  }

  private connect(user = this.dice.pick(USERS) ?? '', channels: Iterable<string> = [], isSignedIn = false): Operation {
    const client = ++this.clients;
    const node = this.someNode();
    this.puppets.push({ client, node, user, channels: new Set(channels), isSignedIn });
    return { kind: 'connect', client, node, user };
  }

  private publish(isBatch: boolean): Operation {
    const { dice } = this;
    const items = Array.from({ length: isBatch ? Math.floor(dice.between(2, 6)) : 1 }, () => this.item(isBatch));
    return { kind: 'publish', node: this.someNode(), publisher: Math.floor(dice.between(0, PUBLISHERS)), items };
  }

  private item(isOfBatch: boolean): Item {
    const { dice } = this;
    const width = !isOfBatch && dice.happens(0.15) ? 3 : 1;
    const channels = [...new Set(Array.from({ length: width }, () => dice.pick(CHANNELS) ?? ''))];
    const except = dice.happens(0.25) ? dice.pick(this.puppets)?.client : undefined;
    return { number: this.nextNumber(), channels, ...(except === undefined ? {} : { except }) };
  }

  private kill(node: number, at: number): { at: number; puppet: Puppet }[] {
    this.down.add(node);
    const gone = this.puppets.filter((puppet) => puppet.node === node);
    this.puppets = this.puppets.filter((puppet) => puppet.node !== node);
    const back = gone.filter(() => this.dice.happens(RECONNECTING_SHARE));
    return back.map((puppet) => ({ at: at + this.dice.between(50, 3_000), puppet }));
  }

  /** As pusher-js does it: a new connection with everything that the former had. */
  private comeBack({ user, channels, isSignedIn }: Puppet): Operation[] {
    const connect = this.connect(user, channels, isSignedIn);
    const client = this.clients;
    return [
      connect,
      ...(isSignedIn ? [{ kind: 'signIn', client } as const] : []),
      ...[...channels].map((channel) => ({ kind: 'subscribe', client, channel }) as const),
    ];
  }

  /** Any that is not dead; frozen ones take connections as well. */
  private someNode(): number {
    const nodes = Array.from({ length: NODES }, (_, node) => node).filter((node) => !this.down.has(node));
    return this.dice.pick(nodes) ?? 0;
  }
}
