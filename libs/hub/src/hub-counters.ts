/** What the hot path counts, since the start and on this node. Plain numbers: counting never allocates. */
export class HubCounters {
  /** Messages of clients, and their bytes as received. */
  messagesReceived = 0;
  bytesReceived = 0;
  /** Events that arrived for channels with subscribers here. */
  events = 0;
  /** Batches that were made of them. */
  batches = 0;
  /** Frames of events that were handed to a socket or to an outbox. */
  deliveries = 0;
  /** System calls that wrote to sockets: a corked group is one. */
  socketWrites = 0;
  bytesWritten = 0;
  /** Frames that found an outbox full: dropped with the policy `drop`, the end of the connection otherwise. */
  outboxDrops = 0;
  /** Events that found their shard full. */
  shardDrops = 0;
  /** Connections that were closed with 4100 because they did not read. */
  slowConsumers = 0;
  /** Bytes that wait in all outboxes now. */
  outboxBytes = 0;
  /** The most bytes that ever waited in one outbox. */
  outboxPeakBytes = 0;
}
