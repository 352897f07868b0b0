// The page without a browser: `node --env-file .env listen.mjs 42` follows order 42 and prints what happens. It signs its own
// subscriptions, because nobody is logged in here; a page asks /broadcasting/auth.
import Echo from 'laravel-echo';
import Pusher from 'pusher';
import PusherJs from 'pusher-js';
import { watchOrder } from './resources/js/watch-order.js';

const { REVERB_APP_ID, REVERB_APP_KEY, REVERB_APP_SECRET, REVERB_HOST, REVERB_PORT, REVERB_SCHEME } = process.env;
const [order = '42', name = 'listener'] = process.argv.slice(2);
const library = new Pusher({ appId: REVERB_APP_ID, key: REVERB_APP_KEY, secret: REVERB_APP_SECRET, cluster: '' });

const echo = new Echo({
  broadcaster: 'reverb',
  key: REVERB_APP_KEY,
  wsHost: REVERB_HOST,
  wsPort: Number(REVERB_PORT),
  wssPort: Number(REVERB_PORT),
  forceTLS: REVERB_SCHEME === 'https',
  enabledTransports: ['ws', 'wss'],
  Pusher: PusherJs,
  authorizer: ({ name: channel }) => ({
    authorize: (socketId, callback) => callback(null, library.authorizeChannel(socketId, channel, memberOf(channel))),
  }),
});

watchOrder(echo, order, {
  shipped: ({ orderId, carrier }) => console.log(`order ${orderId} left with ${carrier}`),
  members: (names) => console.log(`at the desk: ${names.join(', ')}`),
});
process.on('SIGTERM', () => {
  echo.disconnect();
  process.exit(0);
});

function memberOf(channel) {
  return channel.startsWith('presence-') ? { user_id: name, user_info: { id: name, name } } : undefined;
}
