import { Injectable, Logger } from '@nestjs/common';
import type { Member } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import type { AuthFailure } from './auth/auth-provider.js';
import type { Connection, OutboxWritten } from './connection.js';
import type { WebhookDrop } from './webhooks/webhook-queue.js';
import type { Transition } from './directory/channel-directory.js';
import { errorText } from './error-text.js';
import { LogPause } from './log-pause.js';
import type { PublishStatus } from './publish-status.js';

/** `prepared`: an event that all recipients share; `bytes`: an answer to one client. */
export type FrameKind = 'prepared' | 'bytes';

/**
 * What happens in this node's hub, for observers in the same process (webhooks, metrics, a live console). An event is
 * emitted after the fact, on the node that caused it; transitions therefore once per cluster, and not at all when the
 * node that caused one dies before it hears of it.
 */
export interface HubEventMap {
  connectionOpened: { readonly connection: Connection };
  connectionClosed: { readonly connection: Connection };
  subscribed: { readonly connection: Connection; readonly channel: string };
  unsubscribed: { readonly connection: Connection; readonly channel: string };
  userSignedIn: { readonly connection: Connection; readonly userId: string };
  /** The user's first connection in the cluster has signed in, or the last one is gone. */
  userOnline: { readonly appId: string; readonly userId: string; readonly serial: number };
  userOffline: { readonly appId: string; readonly userId: string; readonly serial: number };
  channelOccupied: { readonly appId: string; readonly channel: string; readonly serial: number };
  channelVacated: { readonly appId: string; readonly channel: string; readonly serial: number };
  /** How many connections a channel has in the cluster, told on every node with subscribers; for apps that wish it. */
  subscriptionCount: { readonly appId: string; readonly channel: string; readonly count: number };
  /** A client has subscribed to a cache channel that has no event. */
  cacheMiss: { readonly app: App; readonly channel: string };
  memberAdded: { readonly appId: string; readonly channel: string; readonly serial: number; readonly member: Member };
  memberRemoved: { readonly appId: string; readonly channel: string; readonly serial: number; readonly member: Member };
  clientEvent: {
    readonly connection: Connection;
    readonly channel: string;
    readonly event: string;
    readonly dataJson: string | undefined;
    readonly userId: string | undefined;
  };
  /** A publish was answered; `events` is how many it had, whatever number of channels they were for. */
  published: { readonly app: App; readonly events: number; readonly status: PublishStatus };
  /**
   * Events found a connection's outbox full (`outbox_full`) or their channel's shard (`shard_queue_full`), or could not
   * be handed to the broker (`broker_failed`; `broker_queue_full`: client events while too much is in flight).
   */
  eventDropped: {
    readonly appId: string;
    readonly reason: 'outbox_full' | 'shard_queue_full' | 'broker_failed' | 'broker_queue_full';
    /** What found an outbox full. */
    readonly kind?: FrameKind;
    readonly count: number;
  };
  /** A publish took so long until all was checked, until the broker had it, and in all. With `hotPathMetrics`. */
  publishTimed: {
    readonly app: App;
    readonly validateMs: number;
    readonly brokerMs: number;
    readonly totalMs: number;
  };
  /** An event of another node's, or of this one's, has come back from the broker. With `hotPathMetrics` on both. */
  eventArrived: { readonly app: App; readonly delayMs: number };
  /**
   * Events of one channel were written to its local subscribers. The oldest had waited for `waitedMs` before the first
   * write; the writing took `writingMs`, and `totalMs` with the turns of others in between. With `hotPathMetrics`.
   */
  batchWritten: {
    readonly app: App;
    readonly events: number;
    readonly subscribers: number;
    readonly waitedMs: number;
    readonly writingMs: number;
    readonly totalMs: number;
  };
  /** Frames left the outbox of a socket that takes bytes again. With `hotPathMetrics`. */
  outboxWritten: { readonly connection: Connection } & OutboxWritten;
  /** A socket did not take what was written to it: the client is gone. */
  writeFailed: { readonly connection: Connection };
  /** The auth provider was asked, and has answered or not, after so long. */
  authDecided: { readonly appId: string; readonly tookMs: number };
  /** A subscription (`channel`) or a sign-in was not let through. */
  authFailed: {
    readonly connection: Connection;
    readonly channel: string | undefined;
    readonly failure: AuthFailure;
  };
  /** An authorization endpoint has failed too often and is not asked for a while. */
  authCircuitOpened: { readonly appId: string; readonly endpoint: string };
  /** Events for webhooks that nobody will be told of; `expired`: their endpoint failed for five minutes. */
  webhookDropped: { readonly appId: string; readonly reason: WebhookDrop; readonly count: number };
  /** An endpoint was told of some events, and took them or not. */
  webhookSent: { readonly appId: string; readonly events: number; readonly isTaken: boolean };
  /**
   * A client was refused at the door; `code` is what it was told: of `pusher:error`, or 429. `isAddressFull`: there is room,
   * but not for more of its address.
   */
  handshakeRejected: { readonly code: number; readonly isAddressFull?: boolean };
}

export type HubEventName = keyof HubEventMap;
type Listener<Name extends HubEventName> = (event: HubEventMap[Name]) => void;

/** The hub's typed events. A listener that throws is logged and disturbs nobody. */
@Injectable()
export class HubEvents {
  private readonly logger = new Logger(HubEvents.name);
  private readonly listeners = new Map<HubEventName, Set<Listener<HubEventName>>>();
  private readonly pauses = new WeakMap<Listener<HubEventName>, LogPause>();

  /** Calls `listener` synchronously for each event until the returned function is called. */
  on<Name extends HubEventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners);
    // The map pairs every name with listeners of that name only; emit relies on it.
    listeners.add(listener as Listener<HubEventName>);
    return () => listeners.delete(listener as Listener<HubEventName>);
  }

  /** Who fails at what clients cause fails as often as they like. */
  private pauseOf(listener: Listener<HubEventName>): LogPause {
    let pause = this.pauses.get(listener);
    if (pause === undefined) this.pauses.set(listener, (pause = new LogPause()));
    return pause;
  }

  /** Costs a map look-up when nobody listens. */
  emit<Name extends HubEventName>(name: Name, event: HubEventMap[Name]): void {
    const listeners = this.listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        if (this.pauseOf(listener).isOver()) this.logger.error(`listener of ${name} threw`, errorText(error));
      }
    }
  }
}

/** Emits what a call to the directory has caused. */
export function emitTransitions(events: HubEvents, transitions: readonly Transition[]): void {
  for (const transition of transitions) {
    switch (transition.type) {
      case 'channel_occupied':
        events.emit('channelOccupied', transition);
        break;
      case 'channel_vacated':
        events.emit('channelVacated', transition);
        break;
      case 'member_added':
        events.emit('memberAdded', transition);
        break;
      case 'member_removed':
        events.emit('memberRemoved', transition);
        break;
    }
  }
}
