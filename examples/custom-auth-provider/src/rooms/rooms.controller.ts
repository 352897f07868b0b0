import {
  BadRequestException,
  Body,
  Controller,
  ForbiddenException,
  HttpCode,
  Param,
  Post,
  Req,
  ServiceUnavailableException,
  UseGuards,
} from '@nestjs/common';
import { HubService, PublishStatus, publishStatusName } from 'pogo-gateway/hub';
import { APP_ID } from '../settings.js';
import { UsersService, type User } from '../users/users.service.js';
import { UserGuard, type RequestWithUser } from './user.guard.js';

/** Asking again later may help against these. */
const BUSY: ReadonlySet<PublishStatus> = new Set([
  PublishStatus.broker_failed,
  PublishStatus.broker_queue_full,
  PublishStatus.shard_queue_full,
]);

/** What users say in a room goes through the application, which publishes it in its own process. */
@Controller('rooms')
@UseGuards(UserGuard)
export class RoomsController {
  constructor(
    private readonly hub: HubService,
    private readonly users: UsersService,
  ) {}

  @Post(':room/messages')
  @HttpCode(202)
  async say(@Param('room') room: string, @Body() body: unknown, @Req() { user }: RequestWithUser): Promise<void> {
    const text = (body as { readonly text?: unknown } | undefined)?.text;
    if (typeof text !== 'string' || text === '') throw new BadRequestException('text must be a text');
    const channel = `private-${room}`;
    if (!this.users.mayEnter(user as User, channel)) throw new ForbiddenException();
    const data = JSON.stringify({ from: (user as User).id, text });
    const status = await this.hub.publish(APP_ID, channel, 'message', data);
    if (BUSY.has(status)) throw new ServiceUnavailableException(publishStatusName(status));
    if (status !== PublishStatus.ok) throw new BadRequestException(publishStatusName(status));
  }
}
