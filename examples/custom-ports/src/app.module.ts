import { Module, type DynamicModule } from '@nestjs/common';
import { GatewayModule, type GatewayConfig } from 'pogo-gateway';
import { MemoryBroker, MemoryBus, MemoryChannelDirectory } from 'pogo-gateway/hub';
import { ConnectionLog } from './connection-log.js';
import { AuditTrail } from './ports/audit-trail.js';
import { AuditModule } from './ports/audit.module.js';
import { AuditedDirectory } from './ports/audited-directory.js';
import { MeasuredBroker } from './ports/measured-broker.js';
import { OutboxSender } from './ports/outbox-sender.js';

@Module({})
export class AppModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AuditModule,
        GatewayModule.forRoot({
          config,
          imports: [AuditModule],
          broker: {
            inject: [MemoryBus],
            useFactory: (bus: MemoryBus) => new MeasuredBroker(new MemoryBroker(bus)),
          },
          directory: {
            // The bus is the same, because the directory announces members over it.
            inject: [MemoryBus, AuditTrail],
            useFactory: (bus: MemoryBus, trail: AuditTrail) =>
              new AuditedDirectory(new MemoryChannelDirectory(bus), trail),
          },
          webhooks: OutboxSender,
        }),
      ],
      providers: [ConnectionLog],
    };
  }
}
