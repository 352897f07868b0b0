/** How a publish ended. Numbers and names are those of the Go module that this server descends from. */
export const PublishStatus = {
  /** Accepted by the broker and the fan-out queue. */
  ok: 0,
  /** There is no such app. */
  hub_missing: 1,
  channel_too_long: 2,
  event_too_long: 3,
  payload_too_large: 4,
  /** `assertJson` was set and the data is not JSON. */
  invalid_payload_json: 5,
  /** The broker was not reached within the deadline. */
  broker_failed: 6,
  /** The channels are not a non-empty array of valid channel names. */
  invalid_channels_json: 7,
  /** `brokerQueueSize` publishes are in flight already. */
  broker_queue_full: 8,
  /** A shard of the channels holds `shardQueueSize` events, or would with these, on this node. */
  shard_queue_full: 9,
} as const;

export type PublishStatusName = keyof typeof PublishStatus;
export type PublishStatus = (typeof PublishStatus)[PublishStatusName];

const NAMES = Object.keys(PublishStatus) as PublishStatusName[];

export function publishStatusName(status: PublishStatus): PublishStatusName {
  return NAMES[status] as PublishStatusName;
}
