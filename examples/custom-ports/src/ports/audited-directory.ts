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
} from 'pogo-gateway/hub';
import type { AuditTrail } from './audit-trail.js';

/** Writes into an audit trail who came into a presence channel and who left it, once for each member of the cluster. */
export class AuditedDirectory extends ChannelDirectory {
  constructor(
    private readonly inner: ChannelDirectory,
    private readonly trail: AuditTrail,
  ) {
    super();
  }

  get isAvailable(): boolean {
    return this.inner.isAvailable;
  }

  attach(node: DirectoryNode): void {
    this.inner.attach(node);
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const answer = await this.inner.join(request);
    if (answer.outcome === 'joined') this.trail.write(answer.transitions);
    return answer;
  }

  async leave(holding: Holding): Promise<readonly Transition[]> {
    const transitions = await this.inner.leave(holding);
    this.trail.write(transitions);
    return transitions;
  }

  publishCached(publish: CachedPublish): Promise<void> {
    return this.inner.publishCached(publish);
  }

  findChannel(appId: string, channel: string, want: { members?: boolean; cached?: boolean }): Promise<ChannelState> {
    return this.inner.findChannel(appId, channel, want);
  }

  listChannels(appId: string, prefix: string): Promise<readonly ChannelSummary[]> {
    return this.inner.listChannels(appId, prefix);
  }
}
