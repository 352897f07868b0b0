import { Logger } from '@nestjs/common';
import { pauseBeforeAskingAgain } from './ask-again.js';
import type { Broker } from './broker/broker.js';
import { UnavailableError } from './unavailable-error.js';

/** What a topic is about. */
export interface TopicSubject {
  readonly topic: string;
  /** Somebody here needs it. */
  readonly isWanted: boolean;
}

interface Topic {
  readonly subject: TopicSubject;
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
    /** Nothing of the topic arrives any more. */
    private readonly released: (topic: string) => void,
    private readonly lingerMs: number,
  ) {}

  /** Resolves when what is published for `subject` arrives here. Undefined: it does already. */
  activate(subject: TopicSubject): Promise<void> | undefined {
    // Nothing will be in force any more; whoever waits is on the way out.
    if (this.isClosed) return new Promise(() => undefined);
    const topic = this.open(subject);
    topic.idleSince = undefined;
    this.idle.delete(topic);
    if (topic.state === 'active' && topic.work === undefined) return undefined;
    return (topic.work ??= this.reconcile(topic));
  }

  /** Nobody here needs `subject` any more. */
  idleFrom(subject: TopicSubject, now: number): void {
    const topic = this.open(subject);
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

  private open(subject: TopicSubject): Topic {
    let topic = this.topics.get(subject.topic);
    if (topic === undefined) {
      topic = { subject, state: 'idle', work: undefined, idleSince: undefined };
      this.topics.set(subject.topic, topic);
    }
    return topic;
  }

  /** Stops asking a broker that does not answer. */
  close(): void {
    this.isClosed = true;
  }

  private async reconcile(topic: Topic): Promise<void> {
    const { subject } = topic;
    for (let failures = 0; !this.isClosed;) {
      const { isWanted } = subject;
      if (topic.state === (isWanted ? 'active' : 'idle')) break;
      try {
        // Unknown from the moment of asking: who becomes active or idle meanwhile must not trust the old state.
        topic.state = 'unknown';
        await (isWanted ? this.broker.subscribe(subject.topic) : this.broker.unsubscribe(subject.topic));
        topic.state = isWanted ? 'active' : 'idle';
      } catch (error) {
        if (!(error instanceof UnavailableError)) this.logger.error(error);
        await pauseBeforeAskingAgain(failures++);
      }
    }
    topic.work = undefined;
    if (topic.state === 'idle') {
      this.topics.delete(subject.topic);
      this.idle.delete(topic);
      this.released(subject.topic);
    }
  }
}
