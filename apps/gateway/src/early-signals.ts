const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

let hasHungUp = false;

const end = (): never => process.exit(0);

/** To read files again that are being read, which can wait; but who closes the terminal closes the server in it. */
const hangUp = (): void => {
  if (process.stdout.isTTY) end();
  hasHungUp = true;
};

/** Until {@link noLongerAtOnce}, which is when there is something to be ended gently. SIGHUP would end it without a word. */
export function endAtOnce(): void {
  for (const signal of SIGNALS) process.on(signal, end);
  process.on('SIGHUP', hangUp);
}

/** @returns whether somebody has asked meanwhile for the files to be read again. */
export function noLongerAtOnce(): boolean {
  for (const signal of SIGNALS) process.off(signal, end);
  process.off('SIGHUP', hangUp);
  return hasHungUp;
}
