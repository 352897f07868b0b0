import { HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { HubService, PublishStatus, publishStatusName, type App } from '@pogo/hub';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { ApiError } from './api-error.js';
import { channelInfo, type ChannelInfo } from './channel-info.js';
import { parseBatchRequest, parsePublishRequest, type PublishRequest } from './publish-request.js';
import { SignedApi } from './signed-api.decorator.js';
import { appOf, jsonOf, textOf, type SignedRequest } from './signed-request.js';

/** HTTP statuses of the publish statuses that a checked request can still end with; any other is a 422. */
const HTTP_STATUS: Partial<Record<PublishStatus, number>> = {
  [PublishStatus.hub_missing]: 404,
  [PublishStatus.broker_failed]: 500,
  [PublishStatus.broker_queue_full]: 503,
  [PublishStatus.shard_queue_full]: 503,
};

type InfoByChannel = Record<string, ChannelInfo>;

/**
 * Publishing. Answered when the broker has accepted everything. What the guard has left on the request is taken from it
 * by hand: a parameter decorator of one's own costs Nest four promises, all of them 3 % of a publish.
 */
@SignedApi()
export class EventsController {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly hub: HubService,
  ) {}

  @Post('events')
  @HttpCode(200)
  async publish(@Req() signed: SignedRequest): Promise<{ channels?: InfoByChannel }> {
    const app = appOf(signed);
    const request = parsePublishRequest(jsonOf(signed), app, this.config.http);
    await this.send(app, [request]);
    return request.info.size === 0 ? {} : { channels: await this.infoOf(app, request) };
  }

  @Post('batch_events')
  @HttpCode(200)
  async publishBatch(@Req() signed: SignedRequest): Promise<{ batch?: object }> {
    const app = appOf(signed);
    const requests = parseBatchRequest(jsonOf(signed), app, this.config.http);
    await this.send(app, requests);
    const isReverb = app.dialect === 'reverb';
    if (requests.every(({ info }) => info.size === 0)) return isReverb ? { batch: {} } : {};
    const byChannel = await Promise.all(requests.map((request) => this.infoOf(app, request)));
    const infos = byChannel.map((info) => Object.values(info)[0] ?? {});
    return { batch: isReverb && infos.every(isEmpty) ? {} : infos };
  }

  /** As it was before 2012: one channel in the path, name and exclusion in the query, and the body is the data. */
  @Post('channels/:channel/events')
  @HttpCode(202)
  async publishToChannel(
    @Req() signed: SignedRequest,
    @Param('channel') channel: string,
    @Query() query: Readonly<Record<string, unknown>>,
  ): Promise<object> {
    const app = appOf(signed);
    const { name, socket_id } = query;
    const fields = { name, socket_id, channel, data: textOf(signed) };
    await this.send(app, [parsePublishRequest(fields, app, this.config.http)]);
    return {};
  }

  private async send(app: App, requests: readonly PublishRequest[]): Promise<void> {
    const status = await this.hub.publishAll(app, requests);
    if (status === PublishStatus.ok) return;
    throw new ApiError(HTTP_STATUS[status] ?? 422, `publish failed: ${publishStatusName(status)}`, status);
  }

  /** What `info` asked for, per channel. Attributes that do not apply are left out. */
  private async infoOf(app: App, { channels, info }: PublishRequest): Promise<InfoByChannel> {
    if (info.size === 0) return {};
    const entries = await Promise.all(
      channels.map(async (channel) => {
        const state = await this.hub.findChannel(app.id, channel.name, { cached: info.has('cache') });
        return [channel.name, channelInfo(state, channel, info, app)] as const;
      }),
    );
    return Object.fromEntries(entries);
  }
}

function isEmpty(info: ChannelInfo): boolean {
  return Object.keys(info).length === 0;
}
