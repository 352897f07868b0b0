import { Controller, Get, Res } from '@nestjs/common';
import { AppDefaults, HubService } from '@pogo/hub';
import type { FastifyReply } from 'fastify';

/** For load balancers and orchestrators. No authentication, no secrets. */
@Controller()
export class HealthController {
  private readonly healthy: object;

  constructor(
    private readonly hub: HubService,
    appDefaults: AppDefaults,
  ) {
    const { dialect } = appDefaults;
    this.healthy = dialect === 'reverb' ? { health: 'OK' } : { status: 'ok' };
  }

  /**
   * Is this process serving? 503 once it has begun to shut down, and when its hub does nothing any more. Depends on no
   * other machine: who asks may restart it. Health checks of Laravel's tools look for Reverb's words, when the server's
   * own dialect is `reverb`.
   */
  @Get(['up', 'pogo/health'])
  up(@Res({ passthrough: true }) reply: FastifyReply): object {
    const { health } = this.hub;
    if (health === 'ok') return this.healthy;
    void reply.status(503);
    return { status: health };
  }

  /** Should it get traffic? 503 while it drains, and while what connects the nodes is away. */
  @Get('ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: string } {
    const status = this.hub.isDraining ? 'draining' : this.hub.isReady ? 'ok' : 'broker_unavailable';
    if (status !== 'ok') void reply.status(503);
    return { status };
  }
}
