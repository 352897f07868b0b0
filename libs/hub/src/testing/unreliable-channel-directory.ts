import {
  ChannelDirectory,
  type CachedPublish,
  type ChannelState,
  type ChannelSummary,
  type DirectoryNode,
  type Holding,
  type JoinAnswer,
  type JoinRequest,
  type Transition,
} from '../directory/channel-directory.js';
import type { Chaos } from './chaos.js';

/** A directory behind a bad network: every call may be late, overtaken, lost, or done without an answer. */
export class UnreliableChannelDirectory extends ChannelDirectory {
  constructor(
    private readonly inner: ChannelDirectory,
    private readonly chaos: Chaos,
  ) {
    super();
  }

  get isAvailable(): boolean {
    return !this.chaos.isDown;
  }

  attach(node: DirectoryNode): void {
    this.inner.attach(node);
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.chaos.disturb(() => this.inner.join(request));
  }

  leave(holding: Holding): Promise<readonly Transition[]> {
    return this.chaos.disturb(() => this.inner.leave(holding));
  }

  publishCached(publish: CachedPublish): Promise<void> {
    return this.chaos.disturb(() => this.inner.publishCached(publish));
  }

  findChannel(
    appId: string,
    channel: string,
    want: { readonly members?: boolean; readonly cached?: boolean },
  ): Promise<ChannelState> {
    return this.chaos.disturb(() => this.inner.findChannel(appId, channel, want));
  }

  listChannels(appId: string, prefix: string): Promise<readonly ChannelSummary[]> {
    return this.chaos.disturb(() => this.inner.listChannels(appId, prefix));
  }
}
