import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { edited, pageBlock, Proxy, type ProxyFiles, type ProxyName } from './proxies.js';

export const PROXY_ADDRESS = '127.0.0.1';

/** The page has two gateways. */
type Ports = readonly [first: number, second: number];

/** What is not about the gateway: folders that are root's, and connections that a test does not need. */
export function nginxOf(conf: string, { folder, port, pair }: ProxyFiles, [first, second]: Ports): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return edited(conf, [
    ['worker_rlimit_nofile 40000;', ''],
    ['worker_connections 20000;', 'worker_connections 4000;'],
    ['http {', `http {\n  access_log off;\n  ${folders.join('\n  ')}`],
    ['127.0.0.1:8080', `127.0.0.1:${first}`],
    ['127.0.0.1:8081', `127.0.0.1:${second}`],
    ['listen 443 ssl;', `listen ${PROXY_ADDRESS}:${port} ssl;`],
    ['/etc/letsencrypt/live/ws.example.com/fullchain.pem', pair.certPath],
    ['/etc/letsencrypt/live/ws.example.com/privkey.pem', pair.keyPath],
  ]);
}

const CONFIGURE: Readonly<Record<ProxyName, (files: ProxyFiles, ports: Ports) => Promise<string>>> = {
  nginx: async (files, ports) => nginxOf(await pageBlock('nginx'), files, ports),
  haproxy: async ({ folder, port, pair }, [first, second]) => {
    const pem = join(folder, 'both.pem');
    await writeFile(pem, pair.cert + pair.key);
    return edited(await pageBlock('haproxy'), [
      ['maxconn 20000', 'maxconn 4000'],
      ['bind :443', `bind ${PROXY_ADDRESS}:${port}`],
      ['/etc/haproxy/ws.example.com.pem', pem],
      ['127.0.0.1:8080', `127.0.0.1:${first}`],
      ['127.0.0.1:8081', `127.0.0.1:${second}`],
    ]);
  },
  caddy: async ({ folder, port, pair }, [first, second]) => {
    const site = `:${port} {\n  bind ${PROXY_ADDRESS}\n  tls ${pair.certPath} ${pair.keyPath}\n`;
    const caddyfile = edited(await pageBlock('caddy'), [
      ['shop.example.com {\n', site],
      ['/var/www/shop/public', join(folder, 'public')],
      ['127.0.0.1:8080', `127.0.0.1:${first}`],
      ['127.0.0.1:8081', `127.0.0.1:${second}`],
    ]);
    return `{\n  admin off\n  auto_https disable_redirects\n}\n${caddyfile}`;
  },
};

/** A proxy as docs/proxy.md has it, before gateways of this machine. */
export function pageProxy(name: ProxyName, pair: ProxyFiles['pair'], ports: Ports): Promise<Proxy> {
  return Proxy.start(name, pair, (files) => CONFIGURE[name](files, ports));
}
