import { Module, type DynamicModule } from '@nestjs/common';
import { GatewayModule, type GatewayConfig } from 'pogo-gateway';
import { SignatureAuthProvider } from 'pogo-gateway/hub';
import type { AuthSettings } from './auth/auth-settings.js';
import { AuthModule } from './auth/auth.module.js';
import { JwtAuthProvider } from './auth/jwt-auth.provider.js';
import { AttendanceService } from './rooms/attendance.service.js';
import { RoomsController } from './rooms/rooms.controller.js';

@Module({})
export class AppModule {
  static forRoot(config: GatewayConfig, settings: AuthSettings): DynamicModule {
    const authModule = AuthModule.forRoot(settings);
    return {
      module: AppModule,
      imports: [
        authModule,
        GatewayModule.forRoot({
          config,
          // What the providers inject comes from here.
          imports: [authModule],
          auth: [JwtAuthProvider, SignatureAuthProvider],
        }),
      ],
      controllers: [RoomsController],
      providers: [AttendanceService],
    };
  }
}
