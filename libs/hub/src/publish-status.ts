/** Publishers elsewhere need the statuses without the hub: they live in the protocol. */
export { PublishStatus, publishStatusName, type PublishStatusName } from '@pogo/pusher-protocol';
