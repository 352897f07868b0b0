import { get } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { MetricsServer } from '../../apps/gateway/src/metrics/metrics-server.js';

/** What /metrics shows: `name{label="value"}` → number, and the type of each name. */
export interface Scrape {
  readonly text: string;
  readonly values: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, string>;
}

/** The port that a gateway of this process shows its metrics on. */
export function metricsPort(app: Pick<INestApplication, 'get'>): number {
  const { address } = app.get(MetricsServer);
  if (address === undefined) throw new Error('this gateway has no metrics');
  return address.port;
}

export async function scrape(port: number, host = '127.0.0.1'): Promise<Scrape> {
  const text = await new Promise<string>((resolve, reject) => {
    get({ host, port, path: '/metrics', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`/metrics: HTTP ${String(response.statusCode)}`));
      });
    }).on('error', reject);
  });
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    const [, name, value] = /^([^#\s]\S*|[^#\s{]+\{.*\}) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return { text, values, types };
}
