import type { Connection } from '@pogo/hub';
import type { ClientEventMessage } from '@pogo/pusher-protocol';

/** Gateway option that tells the adapter which gateway is the Pusher one; others keep Nest's own WebSocket server. */
export const PUSHER_SERVER = 'pusherServer';

/** What the adapter calls without Nest's pipeline. */
export interface DirectHandlers {
  ping(connection: Connection): void;
  clientEvent(connection: Connection, message: ClientEventMessage): void;
}

/** What Nest takes for the gateway's server: where the adapter and the gateway meet. */
export class PusherServer {
  gateway: DirectHandlers | undefined;
  /** Nest's callback for a new client; it binds the message handlers. */
  onConnect: ((client: Connection) => void) | undefined;
}
