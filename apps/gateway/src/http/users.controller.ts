import { HttpCode, Param, Post } from '@nestjs/common';
import { HubService, type App } from '@pogo/hub';
import { SignedApi } from './signed-api.decorator.js';
import { CurrentApp } from './signed-request.js';

/** What an application can do about one of its users. */
@SignedApi('users')
export class UsersController {
  constructor(private readonly hub: HubService) {}

  @Post(':userId/terminate_connections')
  @HttpCode(200)
  async terminateConnections(@CurrentApp() app: App, @Param('userId') userId: string): Promise<object> {
    await this.hub.terminateUser(app.id, userId);
    return {};
  }
}
