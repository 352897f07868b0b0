/** This server, compared with those of the others that take part. */
export const POGO = { name: 'pogo', kind: 'pogo', comparedTo: ['soketi', 'bare'] };
export const SOKETI = { name: 'soketi', kind: 'soketi' };
export const BOTH = [POGO, SOKETI];
/** With a server that only does what Node must: where it is slower than soketi, so is everything on Node's own sockets. */
export const WITH_BARE = [...BOTH, { name: 'bare', kind: 'bare', comparedTo: 'soketi' }];

/** The columns of a scenario in which one event reaches many sockets. */
export const FAN_OUT = [
  'deliveriesPerSecond',
  'p50',
  'p99',
  'p999',
  'cpuPerDelivery',
  'lost',
  'unsent',
  'serverShare',
  'generatorShare',
];

/** All that was to be published was, and arrived, also in the runs that do not count for that very reason. */
export const ALL_DELIVERED = [
  { metric: 'lost', atMost: 0, everyRun: true },
  { metric: 'unsent', atMost: 0, everyRun: true },
];
