import { Module, type DynamicModule } from '@nestjs/common';
import { WebhooksService } from './webhooks.service.js';

/** Tells applications what happens; the hub knows nothing of it. */
@Module({})
export class WebhooksModule {
  /** @param imports modules that export the hub's services. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return { module: WebhooksModule, imports, providers: [WebhooksService] };
  }
}
