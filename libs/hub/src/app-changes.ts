import { Logger } from '@nestjs/common';
import { PusherErrors } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import type { AppChange, AppProvider } from './app/app-provider.js';
import type { Connections } from './connections.js';
import { errorText } from './error-text.js';

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
      else if (change === 'disabled') this.connections.closeApp(appId, PusherErrors.applicationDisabled);
      else this.update(appId, await this.apps.findById(appId));
    } catch (error) {
      this.logger.error(errorText(error));
    }
  }

  /** A provider that only knows that something has changed says `updated` to everything. */
  private update(appId: string, app: App | undefined): void {
    if (app === undefined) this.connections.closeApp(appId, PusherErrors.applicationDoesNotExist);
    else if (!app.enabled) this.connections.closeApp(appId, PusherErrors.applicationDisabled);
    else this.connections.updateApp(app);
  }
}
