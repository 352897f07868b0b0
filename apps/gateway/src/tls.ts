import type { Server, ServerOptions } from 'node:https';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { Logger, type INestApplication } from '@nestjs/common';
import { inspectTls, type TlsFiles, type TlsPair } from './config/tls-files.js';

/** A peer that has not finished its handshake by then is cut off. Node's own bound is two minutes. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** To look up what {@link reloadCertificate} is about: an application has one server. */
const certificates = new WeakMap<object, TlsCertificate>();

/**
 * Reads the certificate and the key of an application again, for new connections; those that are open stay. When the
 * files are not usable the old pair stays and the log says why.
 * @returns whether another pair is served; false as well for an application without TLS.
 */
export function reloadCertificate(app: INestApplication): boolean {
  return certificates.get(app.getHttpServer() as object)?.reload() ?? false;
}

/** The certificate of one gateway, and how it is served. */
export class TlsCertificate {
  private readonly logger = new Logger('TLS');
  private pair: TlsPair;
  private context: SecureContext;
  private server: Server | undefined;

  /** @throws Error that names what is wrong with which file. */
  constructor(private readonly files: TlsFiles) {
    this.pair = this.read();
    this.context = createSecureContext(secureOptions(this.pair));
  }

  /** What the server is created with. HTTP/1.1 only: WebSocket's handshake is HTTP/1.1. */
  get serverOptions(): ServerOptions {
    return {
      ...secureOptions(this.pair),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // Fastify serves `localhost` from two servers, one for each address, and shows only one of them.
      SNICallback: (_name, done) => done(null, this.context),
    };
  }

  /** Takes over a server that was created with {@link serverOptions}. */
  serve(server: Server): void {
    this.server = server;
    certificates.set(server, this);
    // Faults of the peer, and port scanners; whoever looks for the reason of a refused handshake finds it.
    server.on('tlsClientError', (error: NodeJS.ErrnoException & { readonly reason?: string }, socket: TLSSocket) => {
      // The address of a peer that is gone already cannot be asked for.
      const who = socket.remoteAddress === undefined ? '' : ` with ${socket.remoteAddress}`;
      this.logger.debug(`no handshake${who}: ${error.reason ?? error.code ?? error.message}`);
    });
    this.warn();
  }

  /** See {@link reloadCertificate}. */
  reload(): boolean {
    try {
      this.pair = this.read();
      this.context = createSecureContext(secureOptions(this.pair));
      this.server?.setSecureContext(secureOptions(this.pair));
    } catch (error) {
      this.logger.error(`the certificate was read again but stays the old one: ${(error as Error).message}`);
      return false;
    }
    const { names, validTo } = this.pair;
    const what = `${names.join(', ') || 'no names'}, valid until ${day(validTo)}`;
    this.logger.log(`new connections get the certificate in ${this.files.certPath}: ${what}`);
    this.warn();
    return true;
  }

  private read(): TlsPair {
    const { certPath, keyPath } = this.files;
    const { pair, problems } = inspectTls(certPath, keyPath);
    if (pair !== undefined) return pair;
    const paths = { tls_cert: certPath, tls_key: keyPath };
    throw new Error(problems.map(({ setting, sentence }) => `${setting} ${paths[setting]}: ${sentence}`).join('; '));
  }

  /** Says what every client will say, but would not say here. */
  private warn(): void {
    const { names, validFrom, validTo } = this.pair;
    const now = new Date();
    const which = `the certificate in ${this.files.certPath}`;
    if (validTo < now) this.logger.warn(`${which} expired on ${day(validTo)}: clients refuse it`);
    if (validFrom > now)
      this.logger.warn(`${which} is not valid before ${day(validFrom)}: clients refuse it until then`);
    if (names.length === 0) this.logger.warn(`${which} names no host (subjectAltName): browsers refuse it`);
  }
}

function secureOptions({ cert, key }: TlsPair): { cert: string; key: string; minVersion: 'TLSv1.2' } {
  return { cert, key, minVersion: 'TLSv1.2' };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
