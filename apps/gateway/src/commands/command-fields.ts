import { PublishStatus, type PublishOptions } from '@pogo/hub';
import { isReservedEventName, isSocketId } from '@pogo/pusher-protocol';
import { z } from 'zod';
import { CommandRefusal } from './command-refusal.js';

/** A publish as the hub takes it; sizes and names are the hub's to check. */
export interface PublishFields {
  readonly appId: string;
  readonly event: string;
  readonly data: string;
  readonly options: PublishOptions;
}

export interface TerminateUserFields {
  readonly appId: string;
  readonly userId: string;
}

const publishSchema = z.object({
  app_id: z.string().min(1),
  // Looked at by hand: what is wrong with them has a status, and zod would make an issue of each of a million elements.
  channel: z.unknown().optional(),
  channels: z.unknown().optional(),
  event: z.string().min(1),
  data: z.string(),
  socket_id: z.string().nullish(),
  assert_json: z.boolean().nullish(),
});

type Fields = z.output<typeof publishSchema>;

const terminateUserSchema = z.object({ app_id: z.string().min(1), user_id: z.string().min(1) });

/** `pogo.publish`. @throws CommandRefusal. Answers the status that a channel which is none has. */
export function parsePublish(body: string): (PublishFields & { readonly channel: string }) | PublishStatus {
  const fields = parseFields(publishSchema, body);
  const publish = publishFields(fields);
  const { channel } = fields;
  return typeof channel === 'string' ? { ...publish, channel } : PublishStatus.invalid_channels_json;
}

/** `pogo.publish_many`. @throws CommandRefusal. Answers the status that channels which are none have. */
export function parsePublishMany(
  body: string,
  maxChannels: number,
): (PublishFields & { readonly channels: string[] }) | PublishStatus {
  const fields = parseFields(publishSchema, body);
  const publish = publishFields(fields);
  const { channels } = fields;
  if (!Array.isArray(channels) || channels.length === 0) return PublishStatus.invalid_channels_json;
  if (channels.length > maxChannels)
    throw new CommandRefusal(`An event may be published to at most ${maxChannels} channels at once`);
  return channels.every(isText) ? { ...publish, channels } : PublishStatus.invalid_channels_json;
}

/** `pogo.terminate_user`. @throws CommandRefusal */
export function parseTerminateUser(body: string): TerminateUserFields {
  const { app_id: appId, user_id: userId } = parseFields(terminateUserSchema, body);
  return { appId, userId };
}

function publishFields({ app_id: appId, event, data, socket_id: socketId, assert_json: assertJson }: Fields) {
  if (isReservedEventName(event))
    throw new CommandRefusal('Field event: pusher: and pusher_internal: events are reserved');
  const hasSocketId = socketId !== undefined && socketId !== null && socketId !== '';
  if (hasSocketId && !isSocketId(socketId)) throw new CommandRefusal('Field socket_id: must be digits.digits');
  const options = { ...(hasSocketId ? { exceptSocketId: socketId } : {}), ...(assertJson ? { assertJson } : {}) };
  return { appId, event, data, options };
}

function parseFields<T>(schema: z.ZodType<T>, body: string): T {
  const parsed = schema.safeParse(jsonOf(body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  if (field === '') throw new CommandRefusal('The body must be a JSON object');
  throw new CommandRefusal(`Field ${field}: ${issue?.message ?? 'invalid'}`);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new CommandRefusal('The body is not valid JSON');
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
