import { Logger } from '@nestjs/common';
import { pauseBeforeAskingAgain } from './ask-again.js';
import type { Broker } from './broker/broker.js';
import type { Channel } from './channel.js';
import type { Registry } from './registry.js';
import { UnavailableError } from './unavailable-error.js';

interface Topic {
  readonly channel: Channel;
  /** Whether the broker's subscription is in force; `unknown` after a request without an answer. */
  state: 'idle' | 'active' | 'unknown';
  /** The one conversation with the broker about this topic, while there is one. */
  work: Promise<void> | undefined;
  /** Sweeper time since which nobody here is subscribed; undefined while somebody is. */
  idleSince: number | undefined;
}

/**
 * Keeps the broker's subscriptions equal to what this node needs: a topic is subscribed before its first subscriber
 * is acknowledged and released some seconds after the last one left. Each topic has one conversation with the broker
 * at a time, which looks again at what is needed after every answer.
 */
export class TopicRegistry {
  private readonly logger = new Logger(TopicRegistry.name);
  private readonly topics = new Map<string, Topic>();
  private readonly idle = new Set<Topic>();
  private isClosed = false;

  constructor(
    private readonly broker: Broker,
    private readonly registry: Registry,
    private readonly lingerMs: number,
  ) {}

  /** Resolves when events of `channel` arrive here. Undefined: they do already. */
  activate(channel: Channel): Promise<void> | undefined {
    // Nothing will be in force any more; whoever waits is on the way out.
    if (this.isClosed) return new Promise(() => undefined);
    const topic = this.open(channel);
    topic.idleSince = undefined;
    this.idle.delete(topic);
    if (topic.state === 'active' && topic.work === undefined) return undefined;
    return (topic.work ??= this.reconcile(topic));
  }

  /** The last local subscriber has left `channel`. */
  idleFrom(channel: Channel, now: number): void {
    const topic = this.open(channel);
    topic.idleSince = now;
    this.idle.add(topic);
  }

  /** Releases what has been idle for long enough. Called by the sweeper. */
  sweep(now: number): void {
    for (const topic of this.idle) {
      // In order of idleness: the first that is too young ends the round.
      if (topic.idleSince !== undefined && now - topic.idleSince < this.lingerMs) return;
      this.idle.delete(topic);
      topic.work ??= this.reconcile(topic);
    }
  }

  private open(channel: Channel): Topic {
    let topic = this.topics.get(channel.topic);
    if (topic === undefined) {
      topic = { channel, state: 'idle', work: undefined, idleSince: undefined };
      this.topics.set(channel.topic, topic);
    }
    return topic;
  }

  /** Stops asking a broker that does not answer. */
  close(): void {
    this.isClosed = true;
  }

  private async reconcile(topic: Topic): Promise<void> {
    const { channel } = topic;
    for (let failures = 0; !this.isClosed;) {
      const isWanted = channel.subscriptions.size > 0;
      if (topic.state === (isWanted ? 'active' : 'idle')) break;
      try {
        // Unknown from the moment of asking: who becomes active or idle meanwhile must not trust the old state.
        topic.state = 'unknown';
        await (isWanted ? this.broker.subscribe(channel.topic) : this.broker.unsubscribe(channel.topic));
        topic.state = isWanted ? 'active' : 'idle';
      } catch (error) {
        if (!(error instanceof UnavailableError)) this.logger.error(error);
        await pauseBeforeAskingAgain(failures++);
      }
    }
    topic.work = undefined;
    if (topic.state === 'idle') {
      this.topics.delete(channel.topic);
      this.idle.delete(topic);
      this.registry.removeChannel(channel);
    }
  }
}
