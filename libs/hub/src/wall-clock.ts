/** Ms since the epoch, with the resolution of `performance.now()`: what two nodes of one machine can compare. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
