import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../unavailable-error.js';
import { RedisLane } from './redis-lane.js';
import { RedisLink } from './redis-link.js';
import { redirectionIn, type Redirection } from './redis-redirection.js';

/** Answers when it is told to, in the order in which it was asked. */
class FakeLink extends RedisLink {
  isOpen = true;
  readonly servers = [];
  readonly asked: string[] = [];
  private readonly pending: { resolve: (reply: unknown) => void; reject: (error: Error) => void }[] = [];

  connect(): void {
    throw new Error('not here');
  }

  reset(): void {
    throw new Error('not here');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  run(command: string): Promise<unknown> {
    this.asked.push(command);
    return new Promise((resolve, reject) => this.pending.push({ resolve, reject }));
  }

  runScript(): Promise<unknown> {
    throw new Error('not here');
  }

  answer(): void {
    for (const { resolve } of this.pending.splice(0)) resolve('OK');
  }

  /** To all that were asked, or to the first only. */
  refuse(message: string, count = Infinity): void {
    for (const { reject } of this.pending.splice(0, count)) reject(new UnavailableError(message, 'not_done'));
  }
}

function laneOver(links: { now: FakeLink | undefined }, patienceMs = 5_000) {
  const redirections: Redirection[] = [];
  let idle = 0;
  const lane = new RedisLane({
    link: () => links.now,
    redirected: (redirection) => redirections.push(redirection),
    patienceMs,
    onIdle: () => idle++,
  });
  const ask = (command: string) => lane.run((link) => link.run(command, []));
  return { ask, redirections, idle: () => idle };
}

const becomes = (is: () => unknown, expected: unknown) => expect.poll(is).toEqual(expected);

describe('RedisLane', () => {
  it('brings answers, and is idle when there is nothing to wait for', async () => {
    const link = new FakeLink();
    const { ask, idle } = laneOver({ now: link });
    const answers = [ask('a'), ask('b')];
    expect(link.asked).toEqual(['a', 'b']);
    link.answer();
    expect(await Promise.all(answers)).toEqual(['OK', 'OK']);
    await becomes(idle, 1);
  });

  it('sends what was turned away to the new owner, before what was asked for later', async () => {
    const [former, owner] = [new FakeLink(), new FakeLink()];
    const links = { now: former };
    const { ask, redirections } = laneOver(links);
    const answers = [ask('a'), ask('b'), ask('c')];
    former.refuse('MOVED 7 host:1', 2);
    await becomes(() => redirections, [{ owner: 'host:1' }, { owner: 'host:1' }]);
    answers.push(ask('d'));
    links.now = owner;
    // One of them is under way still: nothing may overtake it.
    expect([former.asked, owner.asked]).toEqual([['a', 'b', 'c'], []]);
    former.refuse('MOVED 7 host:1');
    await becomes(() => owner.asked, ['a', 'b', 'c', 'd']);
    owner.answer();
    expect(await Promise.all(answers)).toEqual(['OK', 'OK', 'OK', 'OK']);
    expect(former.asked).toEqual(['a', 'b', 'c']);
  });

  it('asks again while the slot is on its way, and until its owner can be reached', async () => {
    const link = new FakeLink();
    const { ask, redirections } = laneOver({ now: link });
    const answer = ask('a');
    link.refuse('TRYAGAIN Multiple keys request during rehashing of slot');
    await becomes(() => link.asked, ['a', 'a']);
    link.isOpen = false;
    link.refuse('ASK 7 host:2');
    await becomes(() => redirections, [{ owner: undefined }, { owner: undefined }]);
    link.isOpen = true;
    await becomes(() => link.asked, ['a', 'a', 'a']);
    link.answer();
    expect(await answer).toBe('OK');
  });

  it('gives up after a while: nothing was done', async () => {
    const link = new FakeLink();
    const { ask, idle } = laneOver({ now: link }, 0);
    const answer = ask('a');
    link.refuse('TRYAGAIN later');
    await expect(answer).rejects.toMatchObject({ outcome: 'not_done' });
    expect(idle()).toBe(1);
    expect(link.asked).toEqual(['a']);
  });

  it('fails at once without anybody to ask, and with every other error', async () => {
    const links: { now: FakeLink | undefined } = { now: undefined };
    const { ask } = laneOver(links);
    await expect(ask('a')).rejects.toMatchObject({ outcome: 'not_done' });
    const link = (links.now = new FakeLink());
    const answer = ask('b');
    link.refuse('OOM command not allowed');
    await expect(answer).rejects.toThrow('OOM');
    expect(link.asked).toEqual(['b']);
  });
});

describe('redirectionIn', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { owner: '127.0.0.1:6381' }],
    ['MOVED 3999 redis-2.internal:6381', { owner: 'redis-2.internal:6381' }],
    ['ASK 3999 127.0.0.1:6381', { owner: undefined }],
    ['TRYAGAIN Multiple keys request during rehashing of slot', { owner: undefined }],
    ['CLUSTERDOWN The cluster is down', undefined],
    ['MOVEDX', undefined],
  ])('understands %s', (message, redirection) => {
    expect(redirectionIn(new Error(message))).toEqual(redirection);
  });
});
