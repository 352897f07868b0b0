import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HubService } from '@pogo/hub';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';

/** The part of the shutdown time in which clients are sent away; the rest is for what comes after them. */
const DRAIN_SHARE = 0.6;

/** Sends clients away while HTTP and the cluster are still there: their departure must be heard. */
@Injectable()
export class DrainOnShutdown implements BeforeApplicationShutdown {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly hub: HubService,
  ) {}

  beforeApplicationShutdown(): Promise<void> {
    return this.hub.drain(this.config.shutdownTimeoutMs * DRAIN_SHARE);
  }
}
