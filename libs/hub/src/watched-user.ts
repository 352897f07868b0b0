import { messagesOf, type DialectName } from '@pogo/pusher-protocol';
import { userTopicOf } from './broker/broker.js';
import type { Connection } from './connection.js';
import type { UserState } from './directory/user-directory.js';
import { Frame } from './fan-out/frame.js';
import type { TopicSubject } from './topic-registry.js';

/** A connection that follows users. */
export interface Watcher {
  readonly connection: Connection;
  readonly users: readonly WatchedUser[];
  /** It has been told who is online; from then on it is told of changes. */
  isTold: boolean;
}

/** A user as the watchers here know it. */
export class WatchedUser implements TopicSubject {
  readonly topic: string;
  readonly watchers = new Set<Watcher>();
  isOnline = false;
  /** Of the latest that is known; 0: nothing yet. */
  serial = 0;

  constructor(
    readonly appId: string,
    readonly userId: string,
  ) {
    this.topic = userTopicOf(appId, userId);
  }

  get isWanted(): boolean {
    return this.watchers.size > 0;
  }

  /** Takes note of a transition or a reading, and tells the watchers what is news in it. */
  learn(state: Pick<UserState, 'isOnline' | 'serial'> | undefined): void {
    if (state === undefined || (state.serial <= this.serial && this.serial > 0)) return;
    this.serial = state.serial;
    this.become(state.isOnline);
  }

  private become(isOnline: boolean): void {
    if (this.isOnline === isOnline) return;
    this.isOnline = isOnline;
    const frames = new Map<DialectName, Frame>();
    for (const { connection, isTold } of this.watchers) {
      if (isTold) connection.send(this.frameFor(connection.app.dialect, frames));
    }
  }

  /** One for all who speak alike. */
  private frameFor(dialect: DialectName, frames: Map<DialectName, Frame>): Frame {
    let frame = frames.get(dialect);
    if (frame === undefined) {
      const ids = [this.userId];
      const text = messagesOf(dialect).watchlistEvents(this.isOnline ? ids : [], this.isOnline ? [] : ids);
      frames.set(dialect, (frame = Frame.ofText(text)));
    }
    return frame;
  }
}
