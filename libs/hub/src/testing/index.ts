/** Contract suites for your own implementations of the ports, and what is needed to make a reliable one unreliable. */
export * from './app-provider.contract.js';
export * from './auth-provider.contract.js';
export * from './broker.contract.js';
export * from './channel-directory.contract.js';
export * from './chaos.js';
export * from './command-nonces.contract.js';
export * from './small-ports.contract.js';
export * from './test-api.js';
export * from './unreliable-broker.js';
export * from './user-directory.contract.js';
export * from './unreliable-channel-directory.js';
export * from './unreliable-ports.js';
export * from './webhook-queue.contract.js';
export { bucketOf } from '../redis/redis-keys.js';
