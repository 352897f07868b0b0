#!/usr/bin/env node
import { endAtOnce } from '../early-signals.js';

// As the server's own main.ts does: it may be the first process of a container. Other commands have nothing but the default.
if (process.argv[2] === 'start') endAtOnce();
await import('./run-program.js');
