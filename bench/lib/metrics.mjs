/**
 * Every figure that a scenario can report: its name in the table, its unit, and how many decimals say something. `goal` is
 * `more` or `less` where one of them is better.
 */
export const METRICS = {
  deliveriesPerSecond: { title: 'deliveries/s', unit: '1/s', digits: 0, goal: 'more' },
  eventsPerSecond: { title: 'events/s', unit: '1/s', digits: 0, goal: 'more' },
  connectionsPerSecond: { title: 'connections/s', unit: '1/s', digits: 0, goal: 'more' },
  p50: { title: 'p50 ms', unit: 'ms', digits: 2, goal: 'less' },
  p99: { title: 'p99 ms', unit: 'ms', digits: 2, goal: 'less' },
  p999: { title: 'p999 ms', unit: 'ms', digits: 2, goal: 'less' },
  answerP99: { title: 'answer p99 ms', unit: 'ms', digits: 2, goal: 'less' },
  // Microseconds for one are seconds for a million.
  cpuPerDelivery: { title: 'CPU µs/delivery', unit: 'µs', digits: 2, goal: 'less' },
  cpuPerEvent: { title: 'CPU µs/event', unit: 'µs', digits: 1, goal: 'less' },
  cpuPerConnection: { title: 'CPU µs/connection', unit: 'µs', digits: 1, goal: 'less' },
  cpuPerEventElsewhere: { title: 'CPU µs/event of the other node', unit: 'µs', digits: 2, goal: 'less' },
  elsewhereShare: { title: 'other node % of core', unit: '%', digits: 2, goal: 'less' },
  redisCpuPerEvent: { title: 'Redis CPU µs/event', unit: 'µs', digits: 1, goal: 'less' },
  redisCpuEach: { title: 'Redis CPU µs', unit: 'µs', digits: 1, goal: 'less' },
  redisCommandsEach: { title: 'commands', unit: '', digits: 2, goal: 'less' },
  redisInnerEach: { title: 'commands in scripts', unit: '', digits: 2, goal: 'less' },
  redisReadsEach: { title: 'reads', unit: '', digits: 3, goal: 'less' },
  bytesPerDelivery: { title: 'bytes/delivery', unit: 'B', digits: 0, goal: 'less' },
  kilobytesPerConnection: { title: 'KB/connection', unit: 'KB', digits: 2, goal: 'less' },
  linearity: { title: 'second half/first half', unit: '×', digits: 2 },
  writesPerTen: { title: 'writes/10 deliveries', unit: '', digits: 2, goal: 'less' },
  otherChannelP99: { title: 'other channel p99 ms', unit: 'ms', digits: 2, goal: 'less' },
  bigP99: { title: 'big channel p99 ms', unit: 'ms', digits: 2, goal: 'less' },
  outboxPeakKiB: { title: 'fullest outbox KiB', unit: 'KiB', digits: 0, goal: 'less' },
  slowConsumers: { title: 'disconnected', unit: '', digits: 0 },
  outboxDrops: { title: 'frames dropped', unit: '', digits: 0 },
  pssMiB: { title: 'server PSS MiB', unit: 'MiB', digits: 1, goal: 'less' },
  growthMiBPerHour: { title: 'growth MiB/h', unit: 'MiB/h', digits: 1, goal: 'less' },
  lost: { title: 'lost', unit: '', digits: 0, goal: 'less' },
  unsent: { title: 'unsent', unit: '', digits: 0, goal: 'less' },
  rejected: { title: 'rejected', unit: '', digits: 0, goal: 'less' },
  otherShare: { title: 'others on its core', unit: '%', digits: 0 },
  serverShare: { title: 'server % of core', unit: '%', digits: 0 },
  redisShare: { title: 'Redis % of core', unit: '%', digits: 0 },
  generatorShare: { title: 'generator % of core', unit: '%', digits: 0, goal: 'less' },
};

/** What every run of publishers reports, from the generator's answer. */
export function ofRun(answer) {
  const { seconds, serverCpuSeconds, delivered, answered, latencyMs, answerMs } = answer;
  return {
    deliveriesPerSecond: delivered / seconds,
    p50: latencyMs.p50,
    p99: latencyMs.p99,
    p999: latencyMs.p999,
    cpuPerDelivery: (serverCpuSeconds * 1e6) / delivered,
    bytesPerDelivery: answer.bytesIn / delivered,
    lost: answer.lost,
    unsent: answer.unsent,
    tcpTimeouts: answer.tcpTimeouts,
    rejected: answer.rejected,
    serverShare: (serverCpuSeconds / seconds) * 100,
    generatorShare: answer.loadgenCpuShare * 100,
    ...(answered > 0
      ? {
          eventsPerSecond: answered / seconds,
          cpuPerEvent: (serverCpuSeconds * 1e6) / answered,
          answerP99: answerMs.p99,
        }
      : {}),
  };
}

/** A figure as the table shows it. */
export function formatted(metric, value) {
  if (!Number.isFinite(value)) return '–';
  const { digits } = METRICS[metric];
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
