/** Few channels and few users, so that they collide: every kind that has a truth of its own in the directory. */
export const CHANNELS = [
  'room-a',
  'room-b',
  'private-a',
  'private-b',
  'presence-a',
  'presence-b',
  'presence-c',
  'cache-a',
  'private-cache-a',
  'presence-cache-a',
] as const;

export const USERS = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'u8', 'u9', 'u10', 'u11', 'u12', 'u13', 'u14'] as const;

export function isPresence(channel: string): boolean {
  return channel.startsWith('presence-');
}

export function isCached(channel: string): boolean {
  return /^(private-|presence-)?cache-/.test(channel);
}

export function needsAuth(channel: string): boolean {
  return /^(private|presence)-/.test(channel);
}
