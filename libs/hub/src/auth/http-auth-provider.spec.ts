import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { parseChannelName, signChannel, signUser, type ChannelName, type Member } from '@pogo/pusher-protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { completeApp, type App } from '../app/app.js';
import { HubEvents } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import { authProviderContract } from '../testing/index.js';
import { AuthProviderChain } from './auth-provider-chain.js';
import { NO_HANDSHAKE, NO_NEEDS } from './handshake.js';
import { HttpAuthProvider } from './http-auth-provider.js';
import { SignatureAuthProvider } from './signature-auth-provider.js';

const PLAIN = completeApp({ id: '1', key: 'key', secret: 'secret' });
const channel = (name: string) => parseChannelName(name, 200) as ChannelName;

async function listen(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth` };
}

/** An application whose session cookie says where its user may go: `channel user_id`. */
async function application(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = JSON.parse(await text(request)) as { readonly channel_name: string; readonly socket_id: string };
  const [allowedChannel, userId] = (request.headers.cookie ?? '').split(' ');
  if (asked.channel_name !== allowedChannel) return void response.writeHead(403).end();
  const data = userId === undefined ? undefined : JSON.stringify({ user_id: userId });
  const auth = signChannel(PLAIN, asked.socket_id, asked.channel_name, data);
  response.end(JSON.stringify({ auth, channel_data: data }));
}

authProviderContract({ describe, it, afterEach }, 'signatures, and an endpoint for those without', async () => {
  const { server, url } = await listen((request, response) => void application(request, response));
  const http = new HttpAuthProvider(new HubOptions(), new HubEvents());
  return {
    provider: new AuthProviderChain([new SignatureAuthProvider(), http]),
    allow: (request, member?: Member) => {
      const cookie = member === undefined ? request.channel.name : `${request.channel.name} ${member.userId}`;
      return {
        ...request,
        app: { ...request.app, authEndpoint: url },
        handshake: { ...NO_HANDSHAKE, headers: { cookie } },
      };
    },
    allowUser: (request, user) => {
      const userData = JSON.stringify({ id: user.id });
      return { ...request, userData, auth: signUser(request.app, request.socketId, userData) };
    },
    close: async () => {
      http.onApplicationShutdown();
      server.close();
      await once(server, 'close');
    },
  };
});

describe('HttpAuthProvider', () => {
  const provider = new HttpAuthProvider(new HubOptions(), new HubEvents());
  const asking = (app: App) => ({ app, socketId: '1.2', handshake: NO_HANDSHAKE, channel: channel('private-a') });
  // Nobody listens at port 9; nobody is asked.
  const withEndpoint = { ...PLAIN, authEndpoint: 'http://127.0.0.1:9/auth' };

  it('leaves to others who brings a signature, whose app has no endpoint, and who signs in', () => {
    const notMine = { decision: 'not_mine' };
    expect(provider.authorizeChannel(asking(PLAIN))).toEqual(notMine);
    expect(provider.authorizeChannel({ ...asking(withEndpoint), auth: 'key:x' })).toEqual(notMine);
    expect(provider.authenticateUser()).toEqual(notMine);
  });

  it('has headers kept for the clients of apps with an endpoint only', () => {
    expect(provider.handshakeNeeds(PLAIN)).toBe(NO_NEEDS);
    expect(provider.handshakeNeeds(withEndpoint)).toEqual({
      headers: ['cookie', 'authorization', 'origin', 'user-agent'],
    });
  });
});
