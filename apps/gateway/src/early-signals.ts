const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

const end = (): never => process.exit(0);

/** Until {@link noLongerAtOnce}, which is when there is something to be ended gently. */
export function endAtOnce(): void {
  for (const signal of SIGNALS) process.on(signal, end);
}

export function noLongerAtOnce(): void {
  for (const signal of SIGNALS) process.off(signal, end);
}
