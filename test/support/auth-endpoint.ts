import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SigningKey } from '@pogo/pusher-protocol';
import { APP } from './gateway.js';

/** A request as the endpoint received it. */
export interface AuthRequest {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Number of the connection that it came on, from 1. */
  readonly connection: number;
  /** Requests that the endpoint had not answered then, this one included. */
  readonly active: number;
}

type AuthEndpointMessage =
  | ({ readonly type: 'request' } & AuthRequest)
  | { readonly type: 'connections'; readonly open: number }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'done' };

const PROGRAM = fileURLToPath(new URL('auth-endpoint.mjs', import.meta.url));

/** The authorization endpoint of an application: a real process that does what it is told; auth-endpoint.mjs has the modes. */
export class AuthEndpointProcess {
  /** Everything it was asked, in order. */
  readonly requests: AuthRequest[] = [];
  /** Connections that are open at the moment. */
  openConnections = 0;
  port = 0;
  private done = 0;
  private readonly waiting: (() => void)[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: AuthEndpointMessage) => {
      if (message.type === 'request') this.requests.push(message);
      if (message.type === 'connections') this.openConnections = message.open;
      if (message.type === 'listening') this.port = message.port;
      if (message.type === 'done') this.done++;
      this.wake();
    });
    child.on('exit', () => this.wake());
  }

  /** Resolves when it listens, on a free port by default. It allows until told otherwise. */
  static async start({ app = APP, port = 0 }: { app?: SigningKey; port?: number } = {}): Promise<AuthEndpointProcess> {
    const child = fork(PROGRAM, [app.key, app.secret, String(port)], { execArgv: [] });
    const endpoint = new AuthEndpointProcess(child);
    await endpoint.until(() => endpoint.port !== 0);
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/broadcasting/auth`;
  }

  /** How it answers from now on. */
  mode(mode: string): Promise<void> {
    return this.tell({ mode });
  }

  /** Answers what it has kept waiting in mode `hang`. */
  release(): Promise<void> {
    return this.tell({ release: true });
  }

  /** Closes the connections of the oldest `count` requests that it has kept waiting. */
  cut(count: number): Promise<void> {
    return this.tell({ cut: count });
  }

  /** Resolves when it has been asked so often in all. */
  asked(count: number): Promise<void> {
    return this.until(() => this.requests.length >= count);
  }

  /** Resolves when so many connections to it are open. */
  hasConnections(count: number): Promise<void> {
    return this.until(() => this.openConnections === count);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /** Resolves when it has done so; messages keep their order, so everything it saw before has arrived as well. */
  private async tell(message: object): Promise<void> {
    const expected = this.done + 1;
    this.child.send(message);
    await this.until(() => this.done >= expected);
  }

  private async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.child.exitCode !== null) throw new Error(`the endpoint has ended with ${this.child.exitCode}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** A header of a request; repeated ones are all there. */
export function headersOf({ rawHeaders }: AuthRequest, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase());
}
