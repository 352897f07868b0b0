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
    const { kind, settings, tls, deflate, redis } = contestant;
    const certificate = tls ? selfSigned() : undefined;
    server = await startServer(kind, { settings, certificate, redis });
    loadgen = new Loadgen();
    const { nodes = [server] } = server;
    const pids = nodes.map(({ pid }) => pid);
    const app = { app: APP.id, key: APP.key, secret: APP.secret };
    const options = { tls: tls ? 1 : undefined, deflate: deflate ? 1 : undefined };
    // Whatever it is aimed at, it reads the CPU time of all.
    const aimAt = ({ host, port }) => loadgen.send('target', { host, port, ...app, pid: pids.join(), ...options });
    await aimAt(nodes[0]);
    const others = watchOthers(pids);
    const measured = await scenario.measure({ loadgen, server, nodes, aimAt, timing, contestant, report });
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
function reasons({ generatorShare, redisShare = 0, lost, unsent, rejected }, log, { deflate, redis }) {
  const found = [];
  const share = generatorShare + redisShare;
  const who = redis === undefined ? 'the generator used' : 'the generator and Redis used';
  if (share >= GENERATOR_BOUND) found.push(`${who} ${share.toFixed(0)} % of its core`);
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
