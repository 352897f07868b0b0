import { Injectable } from '@nestjs/common';
import type { Transition } from 'pogo-gateway/hub';

const MAX_ENTRIES = 1_000;

/** The last comings and goings. In your application a log or a database keeps them. */
@Injectable()
export class AuditTrail {
  readonly entries: string[] = [];

  write(transitions: readonly Transition[]): void {
    for (const transition of transitions) {
      if (!('member' in transition)) continue;
      const word = transition.type === 'member_added' ? 'joined' : 'left';
      this.entries.push(`${transition.member.userId} ${word} ${transition.channel}`);
    }
    this.entries.splice(0, this.entries.length - MAX_ENTRIES);
  }
}
