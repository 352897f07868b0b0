import { Get, Param, Query, Res } from '@nestjs/common';
import { HubService, type App, type ChannelSummary } from '@pogo/hub';
import { parseChannelName } from '@pogo/pusher-protocol';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-error.js';
import { channelInfo, checkApplicable, checkApplicableToList, parseInfo, type ChannelInfo } from './channel-info.js';
import { checkedChannel } from './checked-channel.js';
import { usersText } from './channel-users.js';
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
    const wanted = parseInfo(parameter('info', info), app);
    checkApplicableToList(wanted, start, app);
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
    const wanted = parseInfo(parameter('info', info), app);
    checkApplicable(wanted, channel, app);
    const state = await this.hub.findChannel(app.id, name, { cached: wanted.has('cache') });
    return { occupied: state.subscriptionCount > 0, ...channelInfo(state, channel, wanted, app) };
  }

  @Get(':channel/users')
  async users(
    @CurrentApp() app: App,
    @Param('channel') name: string,
    @Query('with_user_info') withUserInfo: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { kind } = checkedChannel(name, app);
    if (app.dialect === 'pusher' && kind !== 'presence') {
      throw new ApiError(400, 'Users can only be retrieved for presence channels');
    }
    const { members = [], subscriptionCount } = await this.hub.findChannel(app.id, name, { members: true });
    void reply.type('application/json');
    if (app.dialect === 'reverb' && (subscriptionCount === 0 || kind !== 'presence')) {
      void reply.status(subscriptionCount === 0 ? 404 : 400);
      return '{}';
    }
    return usersText(members, app.dialect, withUserInfo === '1');
  }
}

/** The channels that reach one signed-in user are the server's own and not listed. */
function listEntry(summary: ChannelSummary, app: App, wanted: ReadonlySet<string>): [string, ChannelInfo][] {
  const channel = parseChannelName(summary.name, app.limits.maxChannelNameLength);
  if (typeof channel === 'string' || channel.kind === 'user') return [];
  return [[summary.name, channelInfo(summary, channel, wanted, app)]];
}

/** A query parameter that may be given once. */
function parameter(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new ApiError(400, `Parameter ${name} may be given only once`);
}
