import { endAtOnce } from './early-signals.js';

// The first process of a container gets no signal that it has no handler for, and loading the rest takes a second or more:
// an engine that stops it meanwhile would wait for its whole grace period.
endAtOnce();
await import('./standalone.js');
