import { Module, type DynamicModule } from '@nestjs/common';
import { PogoPublisherModule, type PogoPublisherOptions } from 'pogo-gateway/publisher';
import { OrdersService } from './orders.service.js';

/** The other service: `{ secret, redis: { url } }` reaches any gateway, `{ secret, tcp: { port } }` one on this machine. */
@Module({})
export class OrdersModule {
  static forRoot(options: PogoPublisherOptions): DynamicModule {
    return { module: OrdersModule, imports: [PogoPublisherModule.forRoot(options)], providers: [OrdersService] };
  }
}
