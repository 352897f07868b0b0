import { Module, type DynamicModule } from '@nestjs/common';
import { GatewayModule, type GatewayConfig } from 'pogo-gateway';
import { ADMIN_TOKEN } from './admin/admin-token.guard.js';
import { AppsController } from './admin/apps.controller.js';
import { AppsModule } from './apps/apps.module.js';
import { SqlAppProvider } from './apps/sql-app.provider.js';
import type { Settings } from './settings.js';

@Module({})
export class AppModule {
  static forRoot(config: GatewayConfig, settings: Settings): DynamicModule {
    const appsModule = AppsModule.forRoot(settings);
    return {
      module: AppModule,
      // The provider injects from `imports`, and can itself be injected by its name, as the controller does.
      imports: [appsModule, GatewayModule.forRoot({ config, imports: [appsModule], apps: SqlAppProvider })],
      controllers: [AppsController],
      providers: [{ provide: ADMIN_TOKEN, useValue: settings.adminToken }],
    };
  }
}
