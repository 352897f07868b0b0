import { Module, type DynamicModule } from '@nestjs/common';
import { ChannelsController } from './channels.controller.js';
import { ConnectionsController } from './connections.controller.js';
import { EventsController } from './events.controller.js';
import { KnownRoutes } from './known-routes.js';
import { PusherHttpFilter } from './pusher-http.filter.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RequestSignatureGuard } from './request-signature.guard.js';
import { UsersController } from './users.controller.js';

/** HTTP in. */
@Module({})
export class HttpModule {
  /** @param imports modules that export the hub's services and the configuration. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: HttpModule,
      imports,
      controllers: [EventsController, ChannelsController, UsersController, ConnectionsController],
      providers: [KnownRoutes, PusherHttpFilter, RequestSignatureGuard, RateLimitGuard],
    };
  }
}
