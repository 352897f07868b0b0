import { PublishStatus, type App, type PublishEvent } from '@pogo/hub';
import { exceedsBytes, isReservedEventName, isSocketId, type ChannelName } from '@pogo/pusher-protocol';
import { z } from 'zod';
import type { HttpConfig } from '../config/gateway-config.js';
import { ApiError, UnreadableBodyError } from './api-error.js';
import { attributeNames } from './channel-info.js';
import { checkedPublishChannel } from './checked-channel.js';

/** One event of a request, checked against everything that the API promises to check. */
export interface PublishRequest extends PublishEvent {
  readonly channels: readonly ChannelName[];
  /** Attributes to answer for each channel. */
  readonly info: ReadonlySet<string>;
}

const eventSchema = z.object({
  name: z.string().min(1),
  data: z.unknown(),
  channel: z.string().optional(),
  // Looked at by hand: zod would make an issue of each of a million wrong elements.
  channels: z.unknown().optional(),
  socket_id: z.string().nullish(),
  info: z.string().nullish(),
});
const NO_INFO: ReadonlySet<string> = new Set();

type EventFields = z.output<typeof eventSchema>;

const batchSchema = z.object({ batch: z.array(z.unknown()) });

/** `POST /events`. @throws ApiError 400, 413, 422 */
export function parsePublishRequest(body: unknown, app: App, config: HttpConfig): PublishRequest {
  const fields = parseFields(eventSchema, body);
  const channels = channelsOf(fields, config.maxChannelsPerEvent);
  return {
    channels: channels.map((channel) => checkedPublishChannel(channel, app)),
    event: checkedName(fields.name, app),
    data: dataText(fields.data, app),
    info: fields.info ? new Set(attributeNames(fields.info)) : NO_INFO,
    ...exclusion(fields.socket_id, app),
  };
}

/** `POST /batch_events`. @throws ApiError 400, 413, 422; a message about one event names its place. */
export function parseBatchRequest(body: unknown, app: App, config: HttpConfig): PublishRequest[] {
  const { batch } = parseFields(batchSchema, body);
  if (batch.length > config.maxBatchSize) {
    throw new ApiError(400, `Batch too large. A batch may have at most ${config.maxBatchSize} events`);
  }
  return batch.map((event, index) => {
    try {
      return parsePublishRequest(event, app, config);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { error: sentence, status } = error.getResponse() as { error: string; status?: PublishStatus };
      throw new ApiError(error.getStatus(), `batch[${index}]: ${sentence}`, status);
    }
  });
}

function parseFields<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  if (field === '') throw new UnreadableBodyError(422, 'The body must be a JSON object');
  throw new ApiError(422, `Field ${field}: ${issue?.message ?? 'invalid'}`);
}

/** The union of `channel` and `channels`, each once. */
function channelsOf({ channel, channels = [] }: EventFields, max: number): string[] {
  if (!Array.isArray(channels)) refuseChannels('Field channels: must be an array of strings');
  if (channels.length > max) refuseTooMany(max);
  const all = new Set(channels.map((name: unknown, i) => (typeof name === 'string' ? name : refuseElement(i))));
  if (channel !== undefined) all.add(channel);
  if (all.size > max) refuseTooMany(max);
  if (all.size === 0) refuseChannels('Field channels: at least one channel is required');
  return [...all];
}

function refuseTooMany(max: number): never {
  throw new ApiError(400, `An event may be published to at most ${max} channels at once`);
}

function refuseElement(index: number): never {
  refuseChannels(`Field channels.${index}: must be a string`);
}

function refuseChannels(sentence: string): never {
  throw new ApiError(422, sentence, PublishStatus.invalid_channels_json);
}

function checkedName(name: string, app: App): string {
  const max = app.limits.maxEventNameLength;
  if (isReservedEventName(name))
    throw new ApiError(422, 'Field name: pusher: and pusher_internal: events are reserved');
  if (!exceedsBytes(name, max)) return name;
  throw new ApiError(422, `The event name exceeds the allowed maximum (${max} bytes)`, PublishStatus.event_too_long);
}

/** Any string as it is; anything else as its JSON text. */
function dataText(data: unknown, app: App): string {
  if (data === undefined || data === null || data === '') throw new ApiError(422, 'Field data: must not be empty');
  const text = typeof data === 'string' ? data : jsonText(data);
  const max = app.limits.maxEventBytes;
  if (!exceedsBytes(text, max)) return text;
  const sentence = `The data content of this event exceeds the allowed maximum (${max} bytes)`;
  throw new ApiError(413, sentence, PublishStatus.payload_too_large);
}

function jsonText(data: unknown): string {
  try {
    return JSON.stringify(data);
  } catch {
    // JSON.stringify is recursive: a few thousand levels exhaust its stack.
    throw new ApiError(422, 'Field data: is nested too deeply; send it as a JSON string');
  }
}

/** To Reverb a socket_id that is none is one that it does not know. */
function exclusion(socketId: string | null | undefined, { dialect }: App): { exceptSocketId?: string } {
  if (socketId === undefined || socketId === null || socketId === '') return {};
  if (isSocketId(socketId)) return { exceptSocketId: socketId };
  if (dialect === 'reverb') return {};
  throw new ApiError(400, 'Field socket_id: must be digits.digits');
}
