import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { ROOT } from './support/checkout.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly pull_policy?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
}

describe('docker-compose.yml', () => {
  const { services, networks } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    networks: { pogo: { ipam: { config: { subnet: string }[] } } };
  };
  const gateways = ['gateway-1', 'gateway-2'].map((name) => services[name] as Service);

  it('has two gateways, Redis and a proxy, which alone is reached from outside', () => {
    expect(Object.keys(services)).toEqual(['gateway-1', 'gateway-2', 'redis', 'proxy']);
    expect(
      Object.entries(services)
        .filter(([, { ports }]) => ports !== undefined)
        .map(([name]) => name),
    ).toEqual(['proxy']);
    for (const [name, { read_only: isReadOnly, cap_drop: dropped }] of Object.entries(services)) {
      expect([name, isReadOnly, dropped]).toEqual([name, true, ['ALL']]);
    }
    // Those of the gateways are in the image.
    for (const name of ['redis', 'proxy']) expect(services[name]?.healthcheck, name).toBeDefined();
    // Not the file that it has read already: that is never wrong.
    expect(services['proxy']?.healthcheck?.test).toContain('http://127.0.0.1:8080/up');
  });

  it('sets what the gateways know, trusts the proxy’s network, and no secret has a default', () => {
    for (const { environment = {} } of gateways) {
      for (const name of Object.keys(environment))
        expect(SETTING_KEYS).toContain(name.replace('POGO_WS_', '').toLowerCase());
      expect(environment['POGO_WS_TRUSTED_PROXIES']).toBe(networks.pogo.ipam.config[0]?.subnet);
      for (const name of ['POGO_WS_APP_KEY', 'POGO_WS_APP_SECRET']) expect(environment[name]).toMatch(/^\$\{\w+:\?/);
    }
  });

  it('builds the image once: parallel builds of one name are refused by engines that keep images in containerd', () => {
    expect(gateways.map(({ build }) => build)).toEqual(['.', undefined]);
    expect(new Set(gateways.map(({ image }) => image)).size).toBe(1);
    expect(gateways[1]?.pull_policy).toBe('never');
  });

  it('gives them more time to stop than they take', () => {
    const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);
    for (const { environment, stop_grace_period: grace } of gateways) {
      expect(seconds(grace)).toBeGreaterThan(seconds(environment?.['POGO_WS_SHUTDOWN_TIMEOUT']));
    }
  });

  it('has the proxy ask /ready, wait for WebSockets, and say who the client is', () => {
    const config = read('deploy/compose/haproxy.cfg');
    for (const line of [
      'option httpchk GET /ready',
      'timeout tunnel  1h',
      'option forwardfor',
      'http-request del-header X-Forwarded-For',
    ]) {
      expect(config).toContain(line);
    }
    for (const name of ['gateway-1', 'gateway-2']) expect(config).toContain(`server ${name} ${name}:8080`);
  });
});
