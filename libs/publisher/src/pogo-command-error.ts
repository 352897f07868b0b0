import type { PublishStatus } from '@pogo/pusher-protocol';

/**
 * The gateway has refused a command, with the sentence that is the message: the secret is another one, the clocks
 * differ, a field is missing. Nothing was done.
 */
export class PogoCommandError extends Error {
  /** @param status what a publish that was refused for the same reason would resolve to, when there is such a status. */
  constructor(
    message: string,
    readonly status?: PublishStatus,
  ) {
    super(message);
    this.name = 'PogoCommandError';
  }
}
