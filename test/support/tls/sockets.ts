import { once } from 'node:events';
import type { Server } from 'node:https';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TestGateway } from '../gateway.js';

/** A TLS connection to a gateway, its handshake finished. */
export async function dialTls({ port }: TestGateway, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Subject of the certificate that a new connection gets. */
export async function servedCertificate(gateway: TestGateway, options: ConnectionOptions = {}): Promise<string> {
  const socket = await dialTls(gateway, options);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/** Connections of the server's listener, those included that have not finished their handshake. */
export function connectionCount(gateway: TestGateway): Promise<number> {
  return new Promise((resolve, reject) => {
    httpsServer(gateway).getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** Resolves when the listener has no connection left. */
export async function untilNoConnections(gateway: TestGateway): Promise<void> {
  while ((await connectionCount(gateway)) > 0) await new Promise((resolve) => setImmediate(resolve));
}

export function httpsServer({ app }: TestGateway): Server {
  return app.getHttpServer() as unknown as Server;
}
