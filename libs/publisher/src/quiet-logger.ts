import { Logger } from '@nestjs/common';

/**
 * Takes the place of the logger of Nest's clients, which say something at every attempt to connect. `PogoPublisher` says
 * once that the connection is lost, and once that it is back.
 */
export class QuietLogger extends Logger {
  override log(): void {
    // Said by PogoPublisher.
  }

  override error(): void {
    // Said by PogoPublisher.
  }

  override debug(): void {
    // Answers of other nodes, and those that came too late.
  }
}
