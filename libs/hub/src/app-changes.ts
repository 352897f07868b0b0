import { Logger } from '@nestjs/common';
import { PusherErrors } from '@pogo/pusher-protocol';
import type { AppChange, AppProvider } from './app/app-provider.js';
import type { Connections } from './connections.js';

/** Applies changes of the apps to the connections that are open. */
export class AppChanges {
  private readonly logger = new Logger(AppChanges.name);

  constructor(
    private readonly apps: AppProvider,
    private readonly connections: Connections,
  ) {}

  listen(): void {
    this.apps.onChange((change) => void this.apply(change));
  }

  private async apply({ appId, change }: AppChange): Promise<void> {
    try {
      if (change === 'removed') this.connections.closeApp(appId, PusherErrors.applicationDoesNotExist);
      if (change === 'disabled') this.connections.closeApp(appId, PusherErrors.applicationDisabled);
      const app = change === 'updated' ? await this.apps.findById(appId) : undefined;
      if (app !== undefined) this.connections.updateApp(app);
    } catch (error) {
      this.logger.error(error);
    }
  }
}
