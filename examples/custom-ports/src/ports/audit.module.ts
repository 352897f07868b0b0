import { Module } from '@nestjs/common';
import { AuditTrail } from './audit-trail.js';
import { Outbox } from './outbox.js';

@Module({ providers: [AuditTrail, Outbox], exports: [AuditTrail, Outbox] })
export class AuditModule {}
