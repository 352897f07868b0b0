import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HubEvents } from 'pogo-gateway/hub';

/** How many clients there are, from the injectable stream of hub events. */
@Injectable()
export class ConnectionLog implements OnModuleInit, OnModuleDestroy {
  open = 0;
  private readonly unbind: (() => void)[] = [];

  constructor(private readonly events: HubEvents) {}

  onModuleInit(): void {
    this.unbind.push(
      this.events.on('connectionOpened', () => void this.open++),
      this.events.on('connectionClosed', () => void this.open--),
    );
  }

  onModuleDestroy(): void {
    for (const unbind of this.unbind) unbind();
  }
}
