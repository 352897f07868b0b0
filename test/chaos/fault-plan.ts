import type { Fault, TimedDecision } from './decisions.js';
import type { Dice } from './dice.js';

/** Ordinary and, now and then, extraordinary durations in ms: past a lease, or past the deadline of a join. */
interface Span {
  readonly usual: readonly [number, number];
  readonly long: readonly [number, number];
  readonly longShare: number;
}

const WEIGHTS = { kill: 3, freeze: 4, redisKill: 2, redisFreeze: 2, cut: 4, refuse: 2, drop: 2, hold: 2 };
/** Where one Redis is many servers, which name each other: nothing stands between them and the nodes. */
const WEIGHTS_OF_MANY = { kill: 3, freeze: 3, redisKill: 4, redisFreeze: 3, redisCut: 3 };
type FaultName = keyof typeof WEIGHTS | keyof typeof WEIGHTS_OF_MANY;

const SPANS: Readonly<Record<Exclude<FaultName, 'cut' | 'redisCut'>, Span>> = {
  kill: { usual: [200, 5_000], long: [11_000, 16_000], longShare: 0.15 },
  freeze: { usual: [200, 6_000], long: [10_200, 15_000], longShare: 0.3 },
  redisKill: { usual: [50, 4_000], long: [10_500, 13_000], longShare: 0.15 },
  redisFreeze: { usual: [200, 5_000], long: [10_500, 13_000], longShare: 0.15 },
  refuse: { usual: [200, 5_000], long: [10_500, 14_000], longShare: 0.2 },
  drop: { usual: [200, 4_000], long: [5_000, 8_000], longShare: 0.2 },
  hold: { usual: [200, 5_000], long: [10_500, 14_000], longShare: 0.2 },
};

/**
 * The faults of one round: storms, in which they overlap, and calms between them, in which the cluster may heal. All
 * of them are over when the round is.
 */
export class FaultPlan {
  readonly decisions: TimedDecision[] = [];
  /** Until when something is already the matter with it: `redis`, `process0`, `link0` and so on. */
  private readonly busyUntil = new Map<string, number>();

  constructor(
    private readonly dice: Dice,
    private readonly nodes: number,
    private readonly end: number,
    /** Servers that Redis consists of. */
    private readonly servers: number,
  ) {
    const { decisions } = this;
    for (let at = dice.between(1_500, 3_000); at < end; at += dice.between(2_000, 12_000)) {
      const stormEnd = Math.min(end - 500, at + dice.between(4_000, 15_000));
      for (; at < stormEnd; at += dice.between(200, 2_500)) this.addFault(at);
    }
    decisions.sort((a, b) => a.at - b.at);
  }

  private addFault(at: number): void {
    const { dice } = this;
    const name: FaultName = this.servers === 1 ? dice.weighted(WEIGHTS) : dice.weighted(WEIGHTS_OF_MANY);
    const node = Math.floor(dice.between(0, this.nodes));
    const server = this.servers === 1 ? 0 : Math.floor(dice.between(0, this.servers));
    const duration = name === 'cut' || name === 'redisCut' ? 0 : this.duration(SPANS[name]);
    const until = Math.min(this.end, at + duration);
    switch (name) {
      case 'kill':
        // One node at least stays, or nobody is left to tell what was right.
        if (this.downAt(at, until) < this.nodes - 1) {
          this.add(`process${node}`, { kind: 'killNode', node }, { kind: 'startNode', node }, at, until);
        }
        break;
      case 'freeze':
        this.add(`process${node}`, { kind: 'freezeNode', node }, { kind: 'thawNode', node }, at, until);
        break;
      case 'redisKill':
        this.add('redis', { kind: 'killRedis', server }, { kind: 'startRedis', server }, at, until);
        break;
      case 'redisFreeze':
        this.add('redis', { kind: 'freezeRedis', server }, { kind: 'thawRedis', server }, at, until);
        break;
      case 'redisCut':
        this.decisions.push({ at, decision: { kind: 'cutRedis', server } });
        break;
      case 'cut':
        this.decisions.push({ at, decision: { kind: 'cutLink', node } });
        break;
      case 'refuse':
        this.add(`link${node}`, { kind: 'refuseLink', node }, { kind: 'acceptLink', node }, at, until);
        break;
      case 'drop':
        this.add(`link${node}`, { kind: 'dropAnswers', node }, { kind: 'passAnswers', node }, at, until);
        break;
      case 'hold':
        this.add(`link${node}`, { kind: 'holdLink', node }, { kind: 'releaseLink', node }, at, until);
        break;
    }
  }

  private add(what: string, begin: Fault, over: Fault, at: number, until: number): void {
    if ((this.busyUntil.get(what) ?? -1) >= at) return;
    this.busyUntil.set(what, until);
    this.decisions.push({ at, decision: begin }, { at: until, decision: over });
  }

  /** Nodes that are dead at some time of the interval. */
  private downAt(from: number, until: number): number {
    const kills = this.decisions.filter(({ decision: { kind }, at }) => kind === 'killNode' && at <= until);
    const starts = this.decisions.filter(({ decision: { kind }, at }) => kind === 'startNode' && at < from);
    return kills.length - starts.length;
  }

  private duration({ usual, long, longShare }: Span): number {
    return this.dice.between(...(this.dice.happens(longShare) ? long : usual));
  }
}
