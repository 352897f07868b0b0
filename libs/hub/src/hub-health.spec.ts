import { describe, expect, it } from 'vitest';
import { healthOf } from './hub-health.js';
import { Sweeper } from './sweeper.js';

describe('The health of a hub', () => {
  it('is that of its clock: not there yet, going, or standing still while requests are answered', () => {
    let monotonic = 0;
    const sweeper = new Sweeper(100, () => monotonic);
    expect(healthOf(sweeper)).toBe('hub_not_initialized');
    sweeper.start();
    expect(healthOf(sweeper)).toBe('ok');
    monotonic = 30_001;
    expect(healthOf(sweeper)).toBe('hub_unhealthy');
    sweeper.tick();
    expect(healthOf(sweeper)).toBe('ok');
    sweeper.stop();
    expect(healthOf(sweeper)).toBe('hub_not_initialized');
  });
});
