/** Receives what was published on a topic this node is subscribed to. `envelope` may be kept; it is never changed. */
export type BrokerListener = (topic: string, envelope: Buffer) => void;

/**
 * Carries envelopes between nodes. One road: a node receives its own publishes the way all others do.
 *
 * Guarantees: at most once; per topic one order that is the same on every node; bytes arrive as they were sent.
 * A message reaches a node only while its subscription is in force. Contract suite: `brokerContract`.
 */
export abstract class Broker {
  /** The one receiver of this node. Set once, before the first `subscribe`. */
  abstract listen(listener: BrokerListener): void;

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

/** The broker's name of an app's channel. An app id has no `/`, so the first one separates. */
export function topicOf(appId: string, channel: string): string {
  return `${appId}/${channel}`;
}
