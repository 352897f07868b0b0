import { Get } from '@nestjs/common';
import { HubService, type App } from '@pogo/hub';
import { SignedApi } from './signed-api.decorator.js';
import { CurrentApp } from './signed-request.js';

@SignedApi('connections')
export class ConnectionsController {
  constructor(private readonly hub: HubService) {}

  /** Connections of the app in the cluster. */
  @Get()
  async count(@CurrentApp() app: App): Promise<{ connections: number }> {
    return { connections: await this.hub.countConnections(app.id) };
  }
}
