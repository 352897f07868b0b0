import { Injectable, Logger } from '@nestjs/common';
import { OnHubEvent } from 'pogo-gateway';
import { HubService, PublishStatus, publishStatusName, type AuthFailure, type HubEventMap } from 'pogo-gateway/hub';

/** Tells editors who comes and goes, and counts who was not let in. */
@Injectable()
export class AttendanceService {
  /** How often clients were refused since the start, by reason. */
  readonly refusals = new Map<AuthFailure, number>();
  private readonly logger = new Logger(AttendanceService.name);

  constructor(private readonly hub: HubService) {}

  /** Once in the whole cluster for each member, however many tabs are open on however many nodes. */
  @OnHubEvent('memberAdded')
  joined({ appId, channel, member }: HubEventMap['memberAdded']): Promise<void> {
    return this.tell(appId, 'joined', { channel, user: member.userId });
  }

  @OnHubEvent('memberRemoved')
  left({ appId, channel, member }: HubEventMap['memberRemoved']): Promise<void> {
    return this.tell(appId, 'left', { channel, user: member.userId });
  }

  /** Handlers run in the turn of the event, so they are quick. A line in a log for each would let strangers fill it. */
  @OnHubEvent('authFailed')
  refused({ failure }: HubEventMap['authFailed']): void {
    this.refusals.set(failure, (this.refusals.get(failure) ?? 0) + 1);
  }

  private async tell(appId: string, event: string, data: object): Promise<void> {
    const status = await this.hub.publish(appId, 'private-attendance', event, JSON.stringify(data));
    if (status !== PublishStatus.ok) this.logger.warn(`${event} was not published: ${publishStatusName(status)}`);
  }
}
