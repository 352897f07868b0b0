import type { MessageMappingProperties } from '@nestjs/websockets';
import type { Connection } from '@pogo/hub';
import type { ClientEventMessage } from '@pogo/pusher-protocol';

/** Gateway option that tells the adapter which gateway is the Pusher one; others keep Nest's own WebSocket server. */
export const PUSHER_SERVER = 'pusherServer';

/** What the adapter calls without Nest's pipeline. */
export interface DirectHandlers {
  ping(connection: Connection): void;
  /** A promise: the connection's next message waits for it. */
  clientEvent(connection: Connection, message: ClientEventMessage): Promise<void> | undefined;
}

/** What Nest takes for the gateway's server: where the adapter and the gateway meet. */
export class PusherServer {
  gateway: DirectHandlers | undefined;
  /** Nest's callback for a new client; it binds the message handlers. */
  onConnect: ((client: Connection) => void) | undefined;
  /** What Nest bound last. */
  handlers: readonly MessageMappingProperties[] = [];

  /**
   * Nest's handler for one message, guards and filters included. Nest binds all handlers to a client when it connects;
   * here it does so for each message, because bound handlers that are kept cost 430 bytes per connection, and binding
   * them 1 µs.
   */
  handlerFor(connection: Connection, event: string): MessageMappingProperties['callback'] | undefined {
    this.onConnect?.(connection);
    const handler = this.handlers.find(({ message }) => message === event);
    this.handlers = [];
    return handler?.callback;
  }
}
