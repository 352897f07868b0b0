import { Logger } from '@nestjs/common';
import { askAgain } from './ask-again.js';
import type { ChannelDirectory, Departure } from './directory/channel-directory.js';
import { emitTransitions, type HubEvents } from './hub-events.js';
import { UnavailableError } from './unavailable-error.js';

/** Connections that have left a channel here and whose departure the directory has still to hear of. */
export class Departures {
  private readonly logger = new Logger(Departures.name);
  private pending = 0;
  private isClosed = false;

  constructor(
    private readonly directory: ChannelDirectory,
    private readonly events: HubEvents,
  ) {}

  get count(): number {
    return this.pending;
  }

  /** Resolves when the directory has heard of it, however often it must be told. Never rejects. */
  tell(departure: Departure): Promise<void> {
    this.pending++;
    return this.leave(departure).finally(() => this.pending--);
  }

  /** Stops telling a directory that does not answer. */
  close(): void {
    this.isClosed = true;
  }

  private async leave(departure: Departure): Promise<void> {
    try {
      // Not in the caller's turn: a slow consumer is closed in the middle of a broadcast, and what its departure
      // announces must not overtake the event that the others are about to get, nor close the next one from within.
      await Promise.resolve();
      const transitions = await askAgain(
        () => this.directory.leave(departure),
        () => this.isClosed,
      );
      emitTransitions(this.events, transitions);
    } catch (error) {
      if (error instanceof UnavailableError) this.logger.warn(`a departure was not recorded: ${error.message}`);
      else this.logger.error(error);
    }
  }
}
