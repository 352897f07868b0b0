import type { ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf } from './broker/broker.js';
import type { Connection } from './connection.js';
import type { Frame } from './frame.js';
import type { Subscription } from './subscription.js';

/** An app's channel on this node: its local subscribers. */
export class Channel {
  readonly topic: string;
  readonly subscriptions = new Set<Subscription>();

  constructor(
    readonly app: App,
    readonly name: ChannelName,
  ) {
    this.topic = topicOf(app.id, name.name);
  }

  /** Sends `frame` to every local subscriber but `except`. Membership may change meanwhile: a Set survives that. */
  broadcast(frame: Frame, serial: number | undefined, except: Connection | undefined): void {
    for (const subscription of this.subscriptions) {
      if (subscription.connection !== except) subscription.deliver(frame, serial);
    }
  }
}
