import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController } from './health.controller.js';

@Module({})
export class HealthModule {
  /** @param imports modules that export the hub's services. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return { module: HealthModule, imports, controllers: [HealthController] };
  }
}
