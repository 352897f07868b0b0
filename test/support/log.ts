import type { LoggerService } from '@nestjs/common';

/** A logger that keeps what it is told, one line `level text` each. */
export class Log implements LoggerService {
  readonly lines: string[] = [];

  log(text: unknown): void {
    this.lines.push(`log ${String(text)}`);
  }

  warn(text: unknown): void {
    this.lines.push(`warn ${String(text)}`);
  }

  error(text: unknown): void {
    this.lines.push(`error ${String(text)}`);
  }

  debug(text: unknown): void {
    this.lines.push(`debug ${String(text)}`);
  }

  /** Lines about `subject` since the last call; everything else is forgotten. */
  take(subject: string): string[] {
    return this.lines.splice(0).filter((line) => line.includes(subject));
  }
}
