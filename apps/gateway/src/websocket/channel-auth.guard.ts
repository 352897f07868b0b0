import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthService, type ChannelGrant, type Connection } from '@pogo/hub';
import type { SigninMessage, SignedInUser, SubscribeMessage } from '@pogo/pusher-protocol';

/** A guarded message on its way to its handler; the guard adds what it found out. */
export interface SubscribeRequest extends SubscribeMessage {
  grant?: ChannelGrant;
}

export interface SigninRequest extends SigninMessage {
  user?: SignedInUser;
}

/** Lets a `pusher:subscribe` pass when the client may subscribe. Refusals are SubscriptionErrors. */
@Injectable()
export class ChannelAuthGuard implements CanActivate {
  constructor(private readonly auth: AuthService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const ws = context.switchToWs();
    const request = ws.getData<SubscribeRequest>();
    request.grant = await this.auth.authorizeChannel(ws.getClient<Connection>(), request);
    return true;
  }
}

/** Lets a `pusher:signin` pass when the user is who it claims to be. Refusals are PusherErrors. */
@Injectable()
export class UserAuthGuard implements CanActivate {
  constructor(private readonly auth: AuthService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const ws = context.switchToWs();
    const request = ws.getData<SigninRequest>();
    request.user = await this.auth.authenticateUser(ws.getClient<Connection>(), request);
    return true;
  }
}
