import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { completeApp } from '../app/app.js';
import { HubOptions } from '../hub-options.js';
import { Chaos } from '../testing/chaos.js';
import { UnreliableRateLimitStore } from '../testing/unreliable-ports.js';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';
import { RateLimitService } from './rate-limit.service.js';

const app = (httpRateLimit: number | undefined) => completeApp({ id: '1', key: 'k', secret: 's', httpRateLimit });
afterEach(() => vi.restoreAllMocks());

describe('RateLimitService', () => {
  it('does not count requests of an app without a limit', async () => {
    const store = new MemoryRateLimitStore(() => 0);
    const take = vi.spyOn(store, 'take');
    expect(await new RateLimitService(store, new HubOptions()).takeHttpRequest(app(undefined))).toBeUndefined();
    expect(take).not.toHaveBeenCalled();
  });

  it('allows as many requests as the limit says, per app', async () => {
    const limits = new RateLimitService(new MemoryRateLimitStore(() => 0), new HubOptions());
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await limits.takeHttpRequest(app(2)));
    expect(answers.map((answer) => [answer?.allowed, answer?.limit])).toEqual([
      [true, 2],
      [true, 2],
      [false, 2],
    ]);
    expect((await limits.takeHttpRequest({ ...app(2), id: '2' }))?.allowed).toBe(true);
  });

  it('lets a request pass that the store cannot count, and says so in the log', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const chaos = new Chaos({ seed: 1 });
    chaos.isDown = true;
    const limits = new RateLimitService(
      new UnreliableRateLimitStore(new MemoryRateLimitStore(), chaos),
      new HubOptions(),
    );
    expect(await limits.takeHttpRequest(app(1))).toBeUndefined();
    expect(warn).toHaveBeenCalledOnce();
  });
});
