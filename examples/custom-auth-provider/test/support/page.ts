import { decodeJwt } from 'jose';
import PusherModule, { type Channel } from 'pusher-js';
import { KEY } from './application.js';

// The package's types speak of a `default` that its Node build does not have: there the module is the class.
const Pusher = PusherModule as unknown as typeof PusherModule.default;
export type Page = InstanceType<typeof Pusher>;

/** A browser's page: the token that `user` logged in with is what it shows for every channel. */
export function page(port: number, token: string, user = decodeJwt(token).sub): Page {
  return new Pusher(KEY, {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: port,
    forceTLS: false,
    enabledTransports: ['ws'],
    channelAuthorization: {
      transport: 'ajax',
      endpoint: '',
      customHandler: (_request, callback) => callback(null, { auth: token }),
    },
    userAuthentication: {
      transport: 'ajax',
      endpoint: '',
      customHandler: (_request, callback) => callback(null, { auth: token, user_data: JSON.stringify({ id: user }) }),
    },
  });
}

/** Subscribes and resolves to the channel, or rejects with what the server said. */
export function join(client: Page, name: string): Promise<Channel> {
  const channel = client.subscribe(name);
  return new Promise((resolve, reject) => {
    channel.bind('pusher:subscription_succeeded', () => resolve(channel));
    channel.bind('pusher:subscription_error', (error: unknown) => reject(new Error(JSON.stringify(error))));
  });
}

/** Resolves to the data of the channel's next event of that name, or of the next one that matches. */
export function next(
  channel: Channel,
  event: string,
  matches: (data: never) => boolean = () => true,
): Promise<unknown> {
  return new Promise((resolve) => {
    channel.bind(event, (data: never) => {
      if (matches(data)) resolve(data);
    });
  });
}
