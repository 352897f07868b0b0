import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runsOneOf } from './chosen-tests.mjs';
import { findBinary } from './debian.mjs';
import { run } from './project.mjs';

const CHART_TESTS = ['test/chart.spec.ts', 'test/chart-values.spec.ts'];
/** What is built where there is none. It needs Go 1.24, as Debian 13 has it; a newer Go serves as well. */
const VERSION = 'v3.19.5';
const MAJOR = 3;
const MODULE = 'helm.sh/helm/v3/cmd/helm';
/** Downloading the modules of Kubernetes and compiling them, on a machine whose cores are busy. */
const BUILD_TIMEOUT_SECONDS = 900;
const VERSION_TIMEOUT_MS = 30_000;
/** Where Go's own archive puts it, which is on no path by itself. */
const USUAL_GO = '/usr/local/go/bin/go';

/**
 * Finds Helm for the tests of the chart, and builds it with Go if there is none.
 * @param args what vitest is given: nothing is done for a run without them.
 * @returns what they need in their environment: where it is, or the sentence that they are skipped with.
 */
export async function ensureHelm(args) {
  return (await runsOneOf(CHART_TESTS, args)) ? provideHelm() : {};
}

/** The same for the test by itself, where vitest was started without `npm test`. */
export async function provideHelm() {
  const given = process.env.POGO_TEST_HELM;
  const found = given ?? findHelm() ?? (await buildHelm());
  const problem = found === undefined ? 'There is no Helm 3, and no Go that builds it' : problemOf(found);
  if (problem === undefined) return { POGO_TEST_HELM: found };
  const sentence =
    `${problem}, and ${CHART_TESTS.join(' and ')} need it: install Helm ${MAJOR} or Go, ` +
    `or name the binary of Helm in POGO_TEST_HELM.`;
  process.stderr.write(`${sentence}\n`);
  return { POGO_TEST_HELM_PROBLEM: sentence };
}

/** Of this version alone, so that another one is built when the number above changes. */
const folder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pogo-gateway', `helm-${VERSION}`);
const built = () => join(folder(), 'helm');

/** The first that is what the test needs. */
function findHelm() {
  return [findBinary('helm'), built()].find((path) => path !== undefined && problemOf(path) === undefined);
}

/** Undefined when there is no Go, or it does not come to an end: who needs Helm will not find it. */
async function buildHelm() {
  const go = findBinary('go') ?? (existsSync(USUAL_GO) ? USUAL_GO : undefined);
  if (go === undefined) return undefined;
  process.stderr.write(`Building Helm ${VERSION} for the test of the chart (go install), which takes minutes ...\n`);
  const env = { ...process.env, GOBIN: folder(), GOFLAGS: '-mod=mod' };
  // GOOS and GOARCH are for programs that go elsewhere, and go refuses GOBIN with them.
  delete env.GOOS;
  delete env.GOARCH;
  const timeout = findBinary('timeout');
  const bounded = timeout === undefined ? [] : [timeout, '--kill-after=30', String(BUILD_TIMEOUT_SECONDS)];
  const [command, ...args] = [...bounded, go, 'install', `${MODULE}@${VERSION}`];
  await run(command, args, { env });
  return existsSync(built()) ? built() : undefined;
}

/** Undefined when the binary is a Helm that runs. */
function problemOf(path) {
  try {
    const printed = execFileSync(path, ['version', '--short'], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: VERSION_TIMEOUT_MS,
    });
    const [, major] = /^v(\d+)\./.exec(printed) ?? [];
    if (major === undefined) return `${path} is no Helm`;
    return Number(major) === MAJOR ? undefined : `${path} is Helm ${major}`;
  } catch (error) {
    return `${path} does not run (${error.message.split('\n', 1)[0]})`;
  }
}
