import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { AppProvider, HubService, PublishStatus, UnavailableError } from '@pogo/hub';
import type { SignedCommand } from '@pogo/pusher-protocol';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { answerOf, type PublishAnswer } from './answer.js';
import { parsePublish, parsePublishMany, parseTerminateUser } from './command-fields.js';
import { CommandRefusal } from './command-refusal.js';
import { Command } from './command.decorator.js';
import { UNAVAILABLE } from './command.guard.js';

/** What another service may ask for without HTTP: the table of contents. Answered when it is done. */
@Controller()
export class CommandsController {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly apps: AppProvider,
    private readonly hub: HubService,
  ) {}

  @Command('pogo.publish')
  async publish(@Payload() { body }: SignedCommand): Promise<PublishAnswer> {
    const fields = parsePublish(body);
    if (typeof fields === 'number') return answerOf(fields);
    const { appId, channel, event, data, options } = fields;
    return answerOf(await this.hub.publish(appId, channel, event, data, options));
  }

  @Command('pogo.publish_many')
  async publishMany(@Payload() { body }: SignedCommand): Promise<PublishAnswer> {
    const fields = parsePublishMany(body, this.config.http.maxChannelsPerEvent);
    if (typeof fields === 'number') return answerOf(fields);
    const { appId, channels, event, data, options } = fields;
    return answerOf(await this.hub.publishMany(appId, channels, event, data, options));
  }

  @Command('pogo.terminate_user')
  async terminateUser(@Payload() { body }: SignedCommand): Promise<object> {
    const { appId, userId } = parseTerminateUser(body);
    try {
      const app = await this.apps.findById(appId);
      if (!app?.enabled) throw new CommandRefusal('application not found', PublishStatus.hub_missing);
      await this.hub.terminateUser(appId, userId);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      throw new CommandRefusal(UNAVAILABLE, PublishStatus.broker_failed);
    }
    return {};
  }
}
