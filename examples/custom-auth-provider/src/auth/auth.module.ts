import { Module, type DynamicModule } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import type { AuthSettings } from './auth-settings.js';
import { TokenVerifier } from './token-verifier.js';

@Module({})
export class AuthModule {
  static forRoot(settings: AuthSettings): DynamicModule {
    return {
      module: AuthModule,
      imports: [UsersModule],
      providers: [{ provide: TokenVerifier, useFactory: () => new TokenVerifier(settings) }],
      exports: [TokenVerifier, UsersModule],
    };
  }
}
