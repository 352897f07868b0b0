import { RpcException } from '@nestjs/microservices';
import type { PublishStatus } from '@pogo/hub';
import { NEVER, type Observable } from 'rxjs';

/** A refusal of a command: `{"error": sentence}`, with the publish status as `status` where one says why. */
export class CommandRefusal extends RpcException {
  constructor(
    readonly sentence: string,
    publishStatus?: PublishStatus,
  ) {
    super(publishStatus === undefined ? { error: sentence } : { error: sentence, status: publishStatus });
    this.name = 'CommandRefusal';
  }
}

/** Ends a command before its handler is called, with an answer that is no refusal. */
export class CommandEnded extends Error {
  constructor(readonly answer: Observable<unknown>) {
    super('the command has ended');
    this.name = 'CommandEnded';
  }
}

/**
 * Another node answers. One object for all commands, because most nodes throw it for most commands and a stack trace
 * costs 10 µs. Nest answers even to a handler that says nothing, unless it never ends.
 */
export const ANSWERED_ELSEWHERE = new CommandEnded(NEVER);
