import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How much figures grow during `work` beyond what they would have grown by without it, which is measured half before and half
 * afterwards. Heartbeats, timers and garbage of earlier days are nobody's cost.
 * @param sample resolves to the figures, all of them numbers
 * @param idleSeconds both halves together
 * @returns `growth` by name, and the `answer` of `work`
 */
export async function beyondIdle(sample, idleSeconds, work) {
  const half = () => sleep(idleSeconds * 500);
  const [before, during, after] = [await grow(sample, half), await grow(sample, work), await grow(sample, half)];
  const perSecond = (name) => (before.growth[name] + after.growth[name]) / (before.seconds + after.seconds);
  const growth = Object.entries(during.growth).map(([name, by]) => [name, by - perSecond(name) * during.seconds]);
  return { growth: Object.fromEntries(growth), answer: during.answer };
}

async function grow(sample, work) {
  const [start, from] = [await sample(), performance.now()];
  const answer = await work();
  const [end, to] = [await sample(), performance.now()];
  const growth = Object.entries(end).map(([name, value]) => [name, value - start[name]]);
  return { growth: Object.fromEntries(growth), seconds: (to - from) / 1_000, answer };
}
