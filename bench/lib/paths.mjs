import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This folder. */
export const BENCH = fileURLToPath(new URL('..', import.meta.url));
/** What the bench writes. */
export const RESULTS = join(BENCH, 'results');
