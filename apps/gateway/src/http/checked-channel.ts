import { PublishStatus, type App } from '@pogo/hub';
import { channelTooLong, parseChannelName, type ChannelName } from '@pogo/pusher-protocol';
import { ApiError } from './api-error.js';

/** The channel that a request names. @throws ApiError 400, 422 */
export function checkedChannel(name: string, app: App): ChannelName {
  return check(name, app, {});
}

/** The channel that an event is published to; a refusal also has the publish status. @throws ApiError 400, 422 */
export function checkedPublishChannel(name: string, app: App): ChannelName {
  return check(name, app, {
    tooLong: PublishStatus.channel_too_long,
    malformed: PublishStatus.invalid_channels_json,
  });
}

function check(
  name: string,
  app: App,
  statuses: { readonly tooLong?: PublishStatus; readonly malformed?: PublishStatus },
): ChannelName {
  const max = app.limits.maxChannelNameLength;
  const channel = parseChannelName(name, max);
  if (channel === 'too_long') throw new ApiError(422, channelTooLong(name, max), statuses.tooLong);
  if (channel === 'malformed') {
    throw new ApiError(400, `Invalid channel name ${JSON.stringify(name.slice(0, 64))}`, statuses.malformed);
  }
  return channel;
}
