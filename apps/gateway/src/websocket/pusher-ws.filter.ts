import { Catch, HttpException, Injectable, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { Connection } from '@pogo/hub';
import { EventName, PusherError, PusherErrors, SubscriptionError, type ClientMessage } from '@pogo/pusher-protocol';

/** Words every error of the WebSocket edge for the client. The one place where that happens. */
@Catch()
@Injectable()
export class PusherWsFilter implements ExceptionFilter {
  private readonly logger = new Logger(PusherWsFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    this.render(error, ws.getClient<Connection>(), ws.getData<ClientMessage>());
  }

  render(error: unknown, connection: Connection, message: ClientMessage): void {
    if (error instanceof PusherError) {
      connection.sendError(error.data);
    } else if (error instanceof SubscriptionError) {
      this.refuseSubscription(error, connection);
    } else if (error instanceof WsException || error instanceof HttpException) {
      this.refuse(error, connection, message);
    } else {
      this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
      connection.close(PusherErrors.internal);
    }
  }

  /** A guard of the embedding application said no, in Nest's own way. */
  private refuse(error: Error, connection: Connection, message: ClientMessage): void {
    if (message.event === EventName.signin) connection.sendError(PusherErrors.signinFailed);
    else if ('channel' in message) {
      this.refuseSubscription(new SubscriptionError(message.channel, 'AuthError', error.message), connection);
    }
  }

  private refuseSubscription(error: SubscriptionError, connection: Connection): void {
    connection.cork();
    for (const text of connection.messages.subscriptionRefused(error)) connection.sendText(text);
    connection.uncork();
  }
}
