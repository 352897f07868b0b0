import type { Frame } from './frame.js';
import type { Socket } from './socket.js';

/**
 * Frames of one connection that wait for its socket to drain, oldest first. It exists only while the socket is
 * blocked: a connection that keeps up has none.
 */
export class Outbox {
  private frames: Frame[] = [];
  private first = 0;
  private waitingBytes = 0;

  /** @param blockedSince sweeper time at which the socket last took bytes. */
  constructor(public blockedSince: number) {}

  get size(): number {
    return this.frames.length - this.first;
  }

  get bytes(): number {
    return this.waitingBytes;
  }

  add(frame: Frame): void {
    this.frames.push(frame);
    this.waitingBytes += frame.bytes.length;
  }

  /** Writes bursts of at most `burst` frames in one system call until empty (true) or blocked again (false). */
  flush(socket: Socket, burst: number): boolean {
    let free = true;
    while (free && this.size > 0) {
      socket.cork();
      for (let n = 0; n < burst && this.size > 0; n++) free = socket.write(this.take().bytes) && free;
      socket.uncork();
    }
    return free;
  }

  private take(): Frame {
    const frame = this.frames[this.first] as Frame;
    this.first++;
    this.waitingBytes -= frame.bytes.length;
    if (this.first === this.frames.length || this.first >= 1024) {
      this.frames = this.frames.slice(this.first);
      this.first = 0;
    }
    return frame;
  }
}
