/** What one node tells all of them, itself included. */
export type Command = TerminateUserCommand;

export interface TerminateUserCommand {
  readonly type: 'terminate_user';
  readonly appId: string;
  readonly userId: string;
}

/**
 * Rare control messages to every node, whatever it is subscribed to. At least once: handlers are idempotent.
 * Contract suite: `commandBusContract`.
 */
export abstract class CommandBus {
  /** The one receiver of this node. */
  abstract listen(listener: (command: Command) => void): void;
  /** Resolves when every living node has been sent the command. @throws UnavailableError; ask again. */
  abstract send(command: Command): Promise<void>;
}
