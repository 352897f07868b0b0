import type { Redis } from 'ioredis';
import type { Journal } from './journal.js';

const OPPOSITES: Readonly<Record<string, string>> = {
  channel_occupied: 'channel_vacated',
  channel_vacated: 'channel_occupied',
  user_online: 'user_offline',
  user_offline: 'user_online',
  member_added: 'member_removed',
  member_removed: 'member_added',
};

/** What webhooks will read: transitions of one thing alternate, as long as Redis keeps its data. */
export class TransitionStreams {
  private readonly last = new Map<string, string>();
  private readonly readUpTo = new Map<string, string>();

  constructor(
    private readonly redis: Redis,
    private readonly journal: Journal,
  ) {}

  /** The data are gone, and what was told with them. */
  beginAnew(): void {
    this.last.clear();
    this.readUpTo.clear();
  }

  /** Reads what has come since the last time. */
  async check(): Promise<void> {
    const keys = await this.redis.keys('{pogo:1:*}:w');
    for (const key of keys) await this.read(key);
  }

  private async read(key: string): Promise<void> {
    const after = this.readUpTo.get(key);
    for (const [id, fields] of await this.redis.xrange(key, after === undefined ? '-' : `(${after}`, '+')) {
      this.readUpTo.set(key, id);
      const [, kind = '', , channel = '', , serial = '', , json = ''] = fields;
      const user = json === '' ? '' : ` ${(JSON.parse(json) as { userId: string }).userId}`;
      const subject = `${/^(channel|user|member)/.exec(kind)?.[0] ?? kind} ${channel}${user}`;
      const before = this.last.get(subject);
      this.last.set(subject, kind);
      this.journal.count(`transition ${kind}`);
      // What was there before the first that is kept is not known.
      if (before === undefined || OPPOSITES[kind] === before) continue;
      this.journal.violation(
        'stream',
        `${kind} of ${channel}${user} follows ${before} (serial ${serial}, entry ${id})`,
      );
    }
  }
}
