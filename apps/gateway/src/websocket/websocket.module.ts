import { Module, type DynamicModule } from '@nestjs/common';
import { ChannelAuthGuard, UserAuthGuard } from './channel-auth.guard.js';
import { HandshakeService } from './handshake.service.js';
import { PusherGateway } from './pusher.gateway.js';
import { PusherWsFilter } from './pusher-ws.filter.js';

/** WebSocket in. */
@Module({})
export class WebSocketModule {
  /** @param imports modules that export the hub's services and the configuration. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: WebSocketModule,
      imports,
      providers: [HandshakeService, PusherGateway, PusherWsFilter, ChannelAuthGuard, UserAuthGuard],
    };
  }
}
