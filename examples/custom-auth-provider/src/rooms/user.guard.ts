import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { bearerToken } from '../auth/bearer-token.js';
import { TokenRefused, TokenVerifier } from '../auth/token-verifier.js';
import { APP_ID } from '../settings.js';
import { UsersService, type User } from '../users/users.service.js';

/** What the guard leaves with a request. */
export interface RequestWithUser {
  readonly headers: { readonly authorization?: string };
  user?: User;
}

/** The same tokens let a user in here. */
@Injectable()
export class UserGuard implements CanActivate {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly users: UsersService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<RequestWithUser>();
    const user = await this.userOf(bearerToken(request.headers.authorization));
    if (user === undefined) throw new UnauthorizedException();
    request.user = user;
    return true;
  }

  private async userOf(token: string | undefined): Promise<User | undefined> {
    try {
      return token === undefined ? undefined : await this.users.find(await this.tokens.verify(token, APP_ID));
    } catch (error) {
      if (error instanceof TokenRefused) return undefined;
      throw error;
    }
  }
}
