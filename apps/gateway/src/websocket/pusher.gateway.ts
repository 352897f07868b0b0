import { UseFilters, UseGuards } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayInit,
} from '@nestjs/websockets';
import { HubService, type Connection } from '@pogo/hub';
import { EventName, userDataOf, type ClientEventMessage, type UnsubscribeMessage } from '@pogo/pusher-protocol';
import { ChannelAuthGuard, UserAuthGuard, type SigninRequest, type SubscribeRequest } from './channel-auth.guard.js';
import { PUSHER_SERVER, type PusherServer } from './pusher-server.js';
import { PusherWsFilter } from './pusher-ws.filter.js';

/** The Pusher protocol's table of contents: what a client can say, and what the hub does about it. */
@WebSocketGateway({ [PUSHER_SERVER]: true })
@UseFilters(PusherWsFilter)
export class PusherGateway implements OnGatewayInit<PusherServer> {
  constructor(
    private readonly hub: HubService,
    private readonly filter: PusherWsFilter,
  ) {}

  /** Client events and pings reach this object without Nest's pipeline, which costs promises. */
  afterInit(server: PusherServer): void {
    server.gateway = this;
  }

  @SubscribeMessage(EventName.subscribe)
  @UseGuards(ChannelAuthGuard)
  subscribe(
    @ConnectedSocket() connection: Connection,
    @MessageBody() { grant }: SubscribeRequest,
  ): Promise<void> | undefined {
    return grant === undefined ? undefined : this.hub.subscribe(connection, grant.channel, grant.member);
  }

  @SubscribeMessage(EventName.unsubscribe)
  unsubscribe(@ConnectedSocket() connection: Connection, @MessageBody() message: UnsubscribeMessage): Promise<void> {
    return this.hub.unsubscribe(connection, message.channel);
  }

  @SubscribeMessage(EventName.signin)
  @UseGuards(UserAuthGuard)
  signin(@ConnectedSocket() connection: Connection, @MessageBody() request: SigninRequest): void {
    const { user, userData } = request;
    if (user === undefined) return;
    this.hub.signIn(connection, user);
    connection.sendText(connection.messages.signinSuccess(userDataOf(user, userData)));
    this.hub.follow(connection, user.watchlist);
  }

  /** Called directly, outside the ordered inbox: an answer must not wait behind a slow authorization. */
  ping(connection: Connection): void {
    connection.sendText(connection.messages.pong());
  }

  /** Called directly, in order. */
  clientEvent(connection: Connection, message: ClientEventMessage): Promise<void> | undefined {
    try {
      return this.hub.clientEvent(connection, message);
    } catch (error) {
      this.filter.render(error, connection, message);
      return undefined;
    }
  }
}
