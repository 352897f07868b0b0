/** Publishing from another Nest service, without HTTP. */
export { PublishStatus, publishStatusName, type PublishStatusName } from '@pogo/pusher-protocol';
export * from './pogo-command-error.js';
export * from './pogo-publisher.js';
export * from './pogo-publisher.module.js';
export {
  POGO_PUBLISHER_OPTIONS,
  type PogoPublisherOptions,
  type PublisherRedisOptions,
  type PublisherTcpOptions,
  type RedisPlace,
} from './publisher-options.js';
