import type { App } from './app/app.js';
import type { Wishes } from './directory/channel-directory.js';

const NONE: Wishes = { counts: false, webhooks: false };

/** What the directory is asked to tell about the app's channels. */
export function wishesOf({ subscriptionCount, webhooks }: App): Wishes {
  // Nearly all apps, at every subscription.
  if (!subscriptionCount && webhooks.length === 0) return NONE;
  const isCounted = subscriptionCount || webhooks.some(({ events }) => events.includes('subscription_count'));
  return { counts: isCounted, webhooks: webhooks.length > 0 };
}
