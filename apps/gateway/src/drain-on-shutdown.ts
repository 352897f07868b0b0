import type { Server } from 'node:http';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HubService, WebhookQueue } from '@pogo/hub';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';

/** The part of the shutdown time in which clients are sent away; the rest is for what comes after them. */
const DRAIN_SHARE = 0.6;
/** The part in which applications may be told of it. */
const WEBHOOKS_SHARE = 0.15;
/** And the part in which HTTP requests that have begun may finish. */
const HTTP_SHARE = 0.2;
const LONGEST_HTTP_GRACE_MS = 1_000;

/** How long a request that has begun may take from the moment the servers close, ms. */
export function httpGraceMs(shutdownTimeoutMs: number): number {
  return Math.min(LONGEST_HTTP_GRACE_MS, shutdownTimeoutMs * HTTP_SHARE);
}

/** Sends clients away while HTTP and the cluster are still there: their departure must be heard. */
@Injectable()
export class DrainOnShutdown implements BeforeApplicationShutdown {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly hub: HubService,
    private readonly webhooks: WebhookQueue,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    const { shutdownTimeoutMs } = this.config;
    await this.hub.drain(shutdownTimeoutMs * DRAIN_SHARE);
    await this.webhooks.close(shutdownTimeoutMs * WEBHOOKS_SHARE);
    const server = this.adapterHost.httpAdapter.getHttpServer() as Server;
    // From close() on Node checks no time-outs any more, and a connection without a whole request is not "idle": it
    // would hold the server open for ever.
    setTimeout(() => server.closeAllConnections(), httpGraceMs(shutdownTimeoutMs)).unref();
  }
}
