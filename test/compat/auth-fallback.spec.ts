import type { PresenceChannel } from 'pusher-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuthEndpointProcess } from '../support/auth-endpoint.js';
import { arrives, join, RealClients } from '../support/pusher-clients.js';

/*
 * Official clients that leave the authorization to the gateway, as docs/authorization.md says.
 */

let endpoint: AuthEndpointProcess;
let clients: RealClients;
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
  clients = await RealClients.start({ settings: { auth_endpoint: endpoint.url } });
});
afterAll(async () => {
  await clients.stop();
  await endpoint.stop();
});

it('pusher-js subscribes to a private channel without asking for a signature', async () => {
  const page = await clients.connect({
    channelAuthorization: { customHandler: (_params, callback) => callback(null, { auth: '' }) },
  });
  await join(page, 'private-room');
  const news = arrives(page, 'news');
  await clients.server.trigger('private-room', 'news', { n: 1 });
  expect(await news).toEqual({ n: 1 });
});

it('Laravel Echo subscribes to a private channel without asking for a signature', async () => {
  const echo = await clients.echo('reverb', {
    channelAuthorization: { customHandler: (_params, callback) => callback(null, { auth: '' }) },
  });
  await new Promise<void>((resolve, reject) => {
    echo
      .private('room')
      .subscribed(resolve)
      .error((error: unknown) => reject(new Error(JSON.stringify(error))));
  });
});

it('pusher-js joins a presence channel as whom the endpoint says, and knows itself as whom the page says', async () => {
  const page = await clients.connect({
    channelAuthorization: {
      customHandler: ({ socketId }, callback) =>
        callback(null, {
          auth: '',
          channel_data: JSON.stringify({ user_id: `user of ${socketId}`, user_info: 'mine' }),
        }),
    },
  });
  const { members } = (await join(page, 'presence-room')) as PresenceChannel;
  expect(members.me).toEqual({ id: `user of ${page.connection.socket_id}`, info: { name: 'Ada' } });
});
