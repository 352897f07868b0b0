/** The Pusher Channels protocol as pure functions and values: no sockets, no clock, no environment. */
export * from './channel-name.js';
export * from './client-message.js';
export * from './command-signature.js';
export * from './event-name.js';
export * from './json-text.js';
export * from './limits.js';
export * from './publish-status.js';
export * from './pusher-error.js';
export * from './server-message.js';
export * from './signature.js';
export * from './socket-id.js';
export * from './user.js';
export * from './webhook.js';
