import type { Provider } from '@nestjs/common';
import { getToken, makeCounterProvider, makeGaugeProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { Registry, type Counter, type Gauge, type Histogram } from 'prom-client';
import { METRICS, PREFIX, type MetricKey } from './definitions.js';
import { TalliedHistogram } from './tallied-histogram.js';

interface MetricTypes {
  counter: Counter;
  gauge: Gauge;
  histogram: Histogram;
}

type MetricOf<Definition extends (typeof METRICS)[MetricKey]> = Definition extends { isHotPath: true }
  ? TalliedHistogram
  : MetricTypes[Definition['type']];

/** The metrics of one gateway by their key in {@link METRICS}. */
export type Metrics = { readonly [Key in MetricKey]: MetricOf<(typeof METRICS)[Key]> };

/** DI token of the {@link Metrics}. Each is a provider as well: `@InjectMetric('pogo_websocket_messages_total')`. */
export const GATEWAY_METRICS = Symbol('GATEWAY_METRICS');

/** Where one gateway's metrics are collected. Not prom-client's global one: an embedding application has that. */
export class MetricRegistries {
  readonly always = new Registry();
  readonly hotPath = new Registry();
}

const KEYS = Object.keys(METRICS) as MetricKey[];

export type { MetricKey };

export function metricProviders(registries: MetricRegistries): Provider[] {
  return [
    ...KEYS.map((key) => metricProvider(key, registries)),
    {
      provide: GATEWAY_METRICS,
      inject: KEYS.map((key) => getToken(PREFIX + METRICS[key].name)),
      useFactory: (...metrics: unknown[]) => Object.fromEntries(KEYS.map((key, i) => [key, metrics[i]])),
    },
  ];
}

function metricProvider(key: MetricKey, registries: MetricRegistries): Provider {
  const { type, name, help, labels, buckets, isHotPath } = METRICS[key];
  const registers = [isHotPath === true ? registries.hotPath : registries.always];
  const options = { name: PREFIX + name, help, labelNames: [...labels], registers };
  switch (type) {
    case 'counter':
      return makeCounterProvider(options);
    case 'gauge':
      return makeGaugeProvider(options);
    case 'histogram': {
      const withBuckets = { ...options, ...(buckets === undefined ? {} : { buckets: [...buckets] }) };
      if (isHotPath !== true) return makeHistogramProvider(withBuckets);
      return { provide: getToken(options.name), useFactory: () => new TalliedHistogram(withBuckets) };
    }
  }
}
