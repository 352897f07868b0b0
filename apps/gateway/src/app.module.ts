import { Module, type DynamicModule } from '@nestjs/common';
import type { GatewayConfig } from './config/gateway-config.js';
import { GatewayModule } from './gateway.module.js';

/** The root of the standalone server. */
@Module({})
export class AppModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return { module: AppModule, imports: [GatewayModule.forRoot({ config })] };
  }
}
