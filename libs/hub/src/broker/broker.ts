/** What a broker tells its node. */
export interface BrokerReceiver {
  /** Something was published on a topic this node is subscribed to. `envelope` may be kept; it is never changed. */
  message(topic: string, envelope: Buffer): void;
  /** From now on messages of any topic may be lost. */
  interrupted(): void;
  /** All subscriptions are in force again. What was published in between is lost for good. */
  resumed(): void;
}

/**
 * Carries envelopes between nodes. One road: a node receives its own publishes the way all others do.
 *
 * Guarantees: at most once; per topic one order that is the same on every node; bytes arrive as they were sent.
 * A message reaches a node only while its subscription is in force. Contract suite: `brokerContract`.
 */
export abstract class Broker {
  /** False while publishes fail or messages may be lost. */
  abstract readonly isAvailable: boolean;

  /** The one receiver of this node. Set once, before the first `subscribe`. */
  abstract attach(receiver: BrokerReceiver): void;

  /**
   * Resolves when the subscription is in force: what is published from then on arrives. Subscribing twice is harmless.
   * @throws UnavailableError; ask again.
   */
  abstract subscribe(topic: string): Promise<void>;

  /** Resolves when no more messages of the topic will arrive. @throws UnavailableError; ask again. */
  abstract unsubscribe(topic: string): Promise<void>;

  /**
   * Resolves when the message was accepted. @throws UnavailableError when it could not be handed over within the
   * implementation's deadline (below one second); `maybe_done` must not be repeated by the caller.
   */
  abstract publish(topic: string, envelope: Buffer): Promise<void>;
}

/** The topic of a user's comings and goings. No channel's name begins with `/`. */
export function userTopicOf(appId: string, userId: string): string {
  return `${appId}//${userId}`;
}

/** The broker's name of an app's channel. An app id has no `/`, so the first one separates. */
export function topicOf(appId: string, channel: string): string {
  return `${appId}/${channel}`;
}
