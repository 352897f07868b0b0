import Echo, { type EchoOptions } from 'laravel-echo';
import PusherServer from 'pusher';
import PusherModule, {
  type Channel,
  type ChannelAuthorizationHandler,
  type Options,
  type UserAuthenticationHandler,
} from 'pusher-js';
import { APP, TestGateway, type GatewayOptions } from './gateway.js';

// The package's types speak of a `default` that its Node build does not have: there the module is the class. That
// build is the one with encryption; `pusher-js/with-encryption` is for browsers and does not load in Node.
const PusherJs = PusherModule as unknown as typeof PusherModule.default;
export type Page = InstanceType<typeof PusherJs>;

/** What the application behind a page says about its user. */
export interface PageOptions extends Partial<Options> {
  /** Sent as channel_data of presence channels; without it the page joins as its signed-in user. */
  readonly member?: PusherServer.PresenceChannelData;
  /** Whom the page signs in as. */
  readonly user?: PusherServer.UserChannelData;
  /** Signs subscriptions and sign-ins in place of the application's own library. */
  readonly signer?: PusherServer;
}

/**
 * A gateway and the clients that the world uses with it: pusher-js, Laravel Echo, and the `pusher` server library, which
 * also signs what pages subscribe to.
 */
export class RealClients {
  /** The application's server. */
  readonly server: PusherServer;
  private readonly disconnects: (() => void)[] = [];

  private constructor(readonly gateway: TestGateway) {
    this.server = this.serverLibrary();
  }

  static async start(options?: GatewayOptions): Promise<RealClients> {
    return new RealClients(await TestGateway.start(options));
  }

  /** Another server of the application, perhaps with the wrong keys, or behind a proxy. */
  serverLibrary(keys: Partial<PusherServer.BaseOptions> & { readonly port?: string } = {}): PusherServer {
    return new PusherServer({
      appId: APP.id,
      key: APP.key,
      secret: APP.secret,
      host: '127.0.0.1',
      port: String(this.gateway.port),
      useTLS: false,
      encryptionMasterKeyBase64: Buffer.alloc(32, 'm').toString('base64'),
      ...keys,
    });
  }

  /** A pusher-js that has begun to connect. */
  page(options: PageOptions = {}, key: string = APP.key): Page {
    const page = new PusherJs(key, { cluster: '', ...this.clientOptions(options) });
    this.disconnects.push(() => page.disconnect());
    return page;
  }

  /** A pusher-js that is connected. */
  async connect(options: PageOptions = {}): Promise<Page> {
    const page = this.page(options);
    await happens(page.connection, 'connected');
    return page;
  }

  /** An Echo that is connected. Its two broadcasters differ in name and in the `cluster` they ask for, not in type. */
  async echo(broadcaster: 'reverb' | 'pusher', options: PageOptions = {}): Promise<Echo<'reverb'>> {
    const echo = new Echo<'reverb'>({
      broadcaster: broadcaster as 'reverb',
      key: APP.key,
      // As Laravel's own documentation has it: only Pusher's broadcaster needs a cluster.
      ...(broadcaster === 'pusher' ? { cluster: 'mt1' } : {}),
      Pusher: PusherModule,
      ...this.clientOptions(options),
    } as EchoOptions<'reverb'>);
    this.disconnects.push(() => echo.disconnect());
    await new Promise<void>((resolve) => {
      echo.connector.onConnectionChange((status) => {
        if (status === 'connected') resolve();
      });
    });
    return echo;
  }

  /** Calls `listener` for every WebSocket that anybody dials. */
  onDial(listener: () => void): void {
    this.gateway.app.getHttpServer().on('upgrade', listener);
  }

  async stop(): Promise<void> {
    for (const disconnect of this.disconnects) disconnect();
    await this.gateway.stop();
  }

  private clientOptions({ member, user, signer = this.server, ...options }: PageOptions): Partial<Options> {
    const authorize: ChannelAuthorizationHandler = ({ channelName, socketId }, callback) => {
      const isPresence = channelName.startsWith('presence-');
      callback(null, signer.authorizeChannel(socketId, channelName, isPresence ? member : undefined));
    };
    const authenticate: UserAuthenticationHandler = ({ socketId }, callback) => {
      callback(null, signer.authenticateUser(socketId, user ?? { id: '1' }));
    };
    return {
      wsHost: '127.0.0.1',
      wsPort: this.gateway.port,
      forceTLS: false,
      // Without it a slow start sends pusher-js to its fall-backs, which are on the Internet.
      enabledTransports: ['ws'],
      channelAuthorization: { customHandler: authorize },
      userAuthentication: { customHandler: authenticate },
      ...options,
    };
  }
}

/** The pusher-js below an Echo. */
export function pageOf(echo: Echo<'reverb'>): Page {
  // Echo's types make the same mistake about the package as is mended above.
  const page: unknown = echo.connector.pusher;
  return page as Page;
}

/** What a callback was called with, in order. */
export class Heard<T = unknown> {
  readonly all: T[] = [];
  private readonly waiting: (() => void)[] = [];

  readonly note = (value: T): void => {
    this.all.push(value);
    for (const resolve of this.waiting.splice(0)) resolve();
  };

  /** Resolves, at the very moment, when it has been called `count` times. */
  async reaches(count: number): Promise<readonly T[]> {
    while (this.all.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.all;
  }
}

interface Emitter {
  bind(event: string, callback: (data: unknown) => void): unknown;
}

/** Resolves to what the client emits next under that name. */
export function happens(emitter: Emitter, event: string): Promise<unknown> {
  return new Promise((resolve) => emitter.bind(event, resolve));
}

/** Resolves when the server has acknowledged the subscription, and rejects with its reason when it is refused. */
export function subscribed(channel: Channel): Promise<void> {
  if (channel.subscribed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    channel.bind('pusher:subscription_succeeded', () => resolve());
    channel.bind('pusher:subscription_error', (error: unknown) => reject(new Error(JSON.stringify(error))));
  });
}

/** Subscribes a page and resolves to the channel once the server has acknowledged. */
export async function join(page: Page, name: string): Promise<Channel> {
  const channel = page.subscribe(name);
  await subscribed(channel);
  return channel;
}

/** Resolves when a message named `event`, of `channel` if that is given, reaches the page. */
export function arrives(page: Page, event: string, channel?: string): Promise<unknown> {
  return new Promise((resolve) => {
    page.connection.bind('message', (message: { event: string; channel?: string; data: unknown }) => {
      if (message.event === event && (channel === undefined || message.channel === channel)) resolve(message.data);
    });
  });
}

/**
 * Resolves when everything that the server sent to the page before now has arrived, because a connection keeps its
 * order: what was not heard by then was not sent.
 */
export async function settle(page: Page): Promise<void> {
  const answered = arrives(page, 'pusher:pong');
  page.send_event('pusher:ping', {});
  await answered;
}
