// `npm run bench:micro`: what the hot path costs beside the system calls, against the budgets in bench/budgets.json, which are
// generous enough for a noisy machine. Ends with 1 when one is exceeded.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// A young generation that holds a whole round, so that no collection falls into it.
const FLAGS = ['--expose-gc', '--max-semi-space-size=64', '--min-semi-space-size=64'];

if (globalThis.gc === undefined) {
  const { status } = spawnSync(process.execPath, [...FLAGS, import.meta.filename], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const { measureAllocations } = await import('./memory.mjs');
const { measureDecoding, measureRecipients } = await import('./speed.mjs');
const budgets = JSON.parse(readFileSync(new URL('../budgets.json', import.meta.url), 'utf8'));
const measured = { ...(await measureRecipients()), ...measureDecoding(), ...(await measureAllocations()) };

let exceeded = 0;
for (const [name, { budget, what }] of Object.entries(budgets)) {
  const value = measured[name];
  const isOver = !(value <= budget);
  if (isOver) exceeded++;
  process.stdout.write(
    `${isOver ? 'OVER' : 'ok  '} ${name.padEnd(20)} ${value.toFixed(1).padStart(9)} of ${budget} (${what})\n`,
  );
}
process.exit(exceeded === 0 ? 0 : 1);
