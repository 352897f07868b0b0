import { Catch, Logger, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import { CommandEnded, CommandRefusal } from './command-refusal.js';

/** Words what a command ends with. Refusals are the sender's to log: anybody can cause them. */
@Catch()
export class CommandFilter implements ExceptionFilter {
  private readonly logger = new Logger('Commands');

  catch(exception: unknown): Observable<unknown> {
    if (exception instanceof CommandEnded) return exception.answer;
    if (exception instanceof CommandRefusal) {
      this.logger.debug(`refused: ${exception.sentence}`);
      return throwError(() => exception.getError());
    }
    this.logger.error(exception);
    return throwError(() => ({ error: 'internal error' }));
  }
}
