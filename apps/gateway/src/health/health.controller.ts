import { Controller, Get, Res } from '@nestjs/common';
import { HubService } from '@pogo/hub';
import type { FastifyReply } from 'fastify';

/** For load balancers and orchestrators. No authentication, no secrets. */
@Controller()
export class HealthController {
  constructor(private readonly hub: HubService) {}

  /** Is this process serving? 503 once it has begun to shut down. Depends on no other machine: who asks may restart it. */
  @Get('up')
  up(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    if (!this.hub.isDraining) return { status: 'ok' };
    void reply.status(503);
    return { status: 'shutting_down' };
  }

  /** Should it get traffic? 503 while it drains, and while what connects the nodes is away. */
  @Get('ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const status = this.hub.isDraining ? 'draining' : this.hub.isReady ? 'ok' : 'broker_unavailable';
    if (status !== 'ok') void reply.status(503);
    return { status };
  }
}
