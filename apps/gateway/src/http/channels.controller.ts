import { Get, Param, Query } from '@nestjs/common';
import { HubService, type App, type ChannelSummary } from '@pogo/hub';
import { parseChannelName } from '@pogo/pusher-protocol';
import { ApiError } from './api-error.js';
import { channelInfo, checkApplicable, parseInfo, type ChannelInfo } from './channel-info.js';
import { checkedChannel } from './checked-channel.js';
import { SignedApi } from './signed-api.decorator.js';
import { CurrentApp } from './signed-request.js';

/** What the channels of the whole cluster look like. */
@SignedApi('channels')
export class ChannelsController {
  constructor(private readonly hub: HubService) {}

  @Get()
  async list(
    @CurrentApp() app: App,
    @Query('filter_by_prefix') prefix: unknown,
    @Query('info') info: unknown,
  ): Promise<{ channels: Record<string, ChannelInfo> }> {
    const start = parameter('filter_by_prefix', prefix) ?? '';
    const wanted = parseInfo(parameter('info', info));
    if (wanted.has('cache')) throw new ApiError(400, 'Info attribute cache is not available on the list of channels');
    if (wanted.has('user_count') && !start.startsWith('presence-')) {
      throw new ApiError(400, 'Info attribute user_count needs filter_by_prefix to start with presence-');
    }
    const channels = await this.hub.listChannels(app.id, start);
    return { channels: Object.fromEntries(channels.flatMap((channel) => listEntry(channel, app, wanted))) };
  }

  @Get(':channel')
  async show(
    @CurrentApp() app: App,
    @Param('channel') name: string,
    @Query('info') info: unknown,
  ): Promise<ChannelInfo> {
    const channel = checkedChannel(name, app);
    const wanted = parseInfo(parameter('info', info));
    checkApplicable(wanted, channel);
    const state = await this.hub.findChannel(app.id, name, { cached: wanted.has('cache') });
    return { occupied: state.subscriptionCount > 0, ...channelInfo(state, channel, wanted) };
  }

  @Get(':channel/users')
  async users(
    @CurrentApp() app: App,
    @Param('channel') name: string,
    @Query('with_user_info') withUserInfo: unknown,
  ): Promise<{ users: { id: string; user_info?: unknown }[] }> {
    if (checkedChannel(name, app).kind !== 'presence') {
      throw new ApiError(400, 'Users can only be retrieved for presence channels');
    }
    const { members = [] } = await this.hub.findChannel(app.id, name, { members: true });
    if (withUserInfo !== '1') return { users: members.map(({ userId }) => ({ id: userId })) };
    return {
      users: members.map(({ userId, userInfoJson }) => ({
        id: userId,
        user_info: userInfoJson === undefined ? {} : (JSON.parse(userInfoJson) as unknown),
      })),
    };
  }
}

/** The channels that reach one signed-in user are the server's own and not listed. */
function listEntry(summary: ChannelSummary, app: App, wanted: ReadonlySet<string>): [string, ChannelInfo][] {
  const channel = parseChannelName(summary.name, app.limits.maxChannelNameLength);
  if (typeof channel === 'string' || channel.kind === 'user') return [];
  return [[summary.name, channelInfo(summary, channel, wanted)]];
}

/** A query parameter that may be given once. */
function parameter(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new ApiError(400, `Parameter ${name} may be given only once`);
}
