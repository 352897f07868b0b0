import { APP, startServer } from './servers.mjs';
import { Loadgen } from './loadgen.mjs';
import { watchOthers } from './other-load.mjs';
import { selfSigned } from './setup.mjs';

/** The generator must not be what is measured. */
const GENERATOR_BOUND = 85;

/**
 * All runs of a scenario, in turns: every contestant once, then every contestant once more, each time with a fresh server
 * and a fresh generator.
 * @returns one entry for each run: contestant, round, metrics, why it does not count, the generator's log
 */
export async function runScenario(scenario, { contestants, runs, timing, report }) {
  const results = [];
  for (let round = 1; round <= runs; round++) {
    for (const contestant of contestants) {
      const result = await runOnce(scenario, { contestant, timing, report });
      results.push({ contestant: contestant.name, round, ...result });
      report(`${scenario.id} ${round}/${runs} ${contestant.name}: ${summaryOf(result, scenario)}`);
    }
  }
  return results;
}

async function runOnce(scenario, { contestant, timing, report }) {
  let server, loadgen;
  try {
    const { kind, settings, tls, deflate } = contestant;
    const certificate = tls ? selfSigned() : undefined;
    server = await startServer(kind, { settings, certificate });
    loadgen = new Loadgen();
    const { host, port, pid } = server;
    const secure = tls ? 1 : undefined;
    const app = { app: APP.id, key: APP.key, secret: APP.secret };
    await loadgen.send('target', { host, port, ...app, pid, tls: secure, deflate: deflate ? 1 : undefined });
    const others = watchOthers(pid);
    const measured = await scenario.measure({ loadgen, server, timing, contestant, report });
    const metrics = finite({ ...measured, otherShare: others() });
    return { metrics, doesNotCount: reasons(metrics, loadgen.log, contestant), log: loadgen.log };
  } catch (error) {
    return { metrics: {}, doesNotCount: [error.message], log: loadgen?.log ?? [] };
  } finally {
    // In this order it is the generator that closes the connections, and its ports that wait.
    await loadgen?.stop();
    await server?.stop();
  }
}

/** Without what there was nothing to compute from, such as the latency of a server that delivered nothing in time. */
function finite(metrics) {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}

/** Why a run says nothing. An empty list: it counts. */
function reasons({ generatorShare, lost, unsent, rejected }, log, { deflate }) {
  const found = [];
  if (generatorShare >= GENERATOR_BOUND) found.push(`the generator used ${generatorShare.toFixed(0)} % of its core`);
  if (lost > 0) found.push(`${lost.toLocaleString('en-US')} deliveries lost`);
  if (unsent > 0) found.push(`${unsent.toLocaleString('en-US')} requests could not be sent in time`);
  if (rejected > 0) found.push(`${rejected.toLocaleString('en-US')} requests rejected`);
  for (const { command, answer } of log) {
    if (answer.failed > 0) found.push(`${answer.failed} connections failed`);
    if (answer.closed > 0) found.push(`${answer.closed} connections closed by the server`);
    const isPlain = command.startsWith('connect ') && answer.deflated !== answer.connected;
    if (deflate && isPlain) found.push('compression was not negotiated');
  }
  return found;
}

function summaryOf({ metrics, doesNotCount }, { columns }) {
  const figures = [...columns, 'otherShare'].filter((name) => metrics[name] !== undefined);
  const shown = figures.map((name) => `${name} ${Number(metrics[name].toPrecision(4)).toLocaleString('en-US')}`);
  const mark = doesNotCount.length > 0 ? [`does not count: ${doesNotCount.join('; ')}`] : [];
  return [...shown, ...mark].join(', ');
}
