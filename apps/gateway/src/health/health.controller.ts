import { Controller, Get, Res } from '@nestjs/common';
import { HubService } from '@pogo/hub';
import type { FastifyReply } from 'fastify';

/** For load balancers and orchestrators. No authentication, no secrets, and nothing that depends on other machines. */
@Controller()
export class HealthController {
  constructor(private readonly hub: HubService) {}

  /** Is this process serving? 503 once it has begun to shut down. */
  @Get('up')
  up(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    if (!this.hub.isDraining) return { status: 'ok' };
    void reply.status(503);
    return { status: 'shutting_down' };
  }
}
