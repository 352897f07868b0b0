import { Injectable } from '@nestjs/common';
import { PogoPublisher, PublishStatus, publishStatusName } from 'pogo-gateway/publisher';

/** Part of a Nest service that has no clients of its own. */
@Injectable()
export class OrdersService {
  constructor(private readonly pogo: PogoPublisher) {}

  async paid(id: number): Promise<void> {
    const status = await this.pogo.publish('1', 'private-orders', 'paid', { id });
    if (status !== PublishStatus.ok) throw new Error(`not published: ${publishStatusName(status)}`);
  }
}
