import { Module, type DynamicModule } from '@nestjs/common';
import { HubMetrics } from './hub-metrics.js';
import { MetricsServer } from './metrics-server.js';
import { MetricRegistries, metricProviders } from './metrics.js';
import { NodeMetrics } from './node-metrics.js';

/** Counts for Prometheus, and shows it on a port of its own. */
@Module({})
export class MetricsModule {
  /** @param imports modules that export the configuration and the hub's services. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    const registries = new MetricRegistries();
    const metrics = [{ provide: MetricRegistries, useValue: registries }, ...metricProviders(registries)];
    return {
      module: MetricsModule,
      imports,
      providers: [...metrics, HubMetrics, NodeMetrics, MetricsServer],
      exports: [...metrics, MetricsServer],
    };
  }
}
