import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './checkout.js';
import { buildContext, type Instruction, type Stage } from './dockerfile.js';

const NOBODY = 65_534;
const execute = promisify(execFile);
/** Steps are carried out, and images run, as somebody else then. */
export const isRoot = process.getuid?.() === 0;

/** Carries out what an engine would, each stage in a folder of its own. */
export class ImageBuild {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'pogo-docker-')));
  readonly context: readonly string[];
  private readonly home = join(this.folder, 'home');

  constructor(private readonly stages: readonly Stage[]) {
    // What somebody has who has cloned it, with the changes that are not committed yet.
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    this.context = buildContext(
      files
        .trim()
        .split('\n')
        .filter((path) => existsSync(join(ROOT, path))),
      readFileSync(join(ROOT, '.dockerignore'), 'utf8'),
    );
    mkdirSync(this.home);
  }

  /** Not synchronous: the worker has to answer vitest meanwhile. */
  async run(): Promise<void> {
    for (const stage of this.stages) await this.runStage(stage);
  }

  async remove(): Promise<void> {
    await execute('rm', ['-rf', this.folder]);
  }

  root(stage: string): string {
    return join(this.folder, `stage-${stage}`);
  }

  environment(stage: Stage): Record<string, string> {
    const own = stage.instructions
      .filter(({ name }) => name === 'ENV')
      .map(({ text }) => text.split('=', 2) as [string, string]);
    const outside = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      TMPDIR: this.home,
      npm_config_cache: join(this.home, 'npm'),
    };
    return { ...outside, ...Object.fromEntries(own) };
  }

  private async runStage(stage: Stage): Promise<void> {
    const root = this.root(stage.name);
    const base = this.stages.find(({ name }) => name === stage.from);
    if (base === undefined) mkdirSync(root);
    // Links: the files of a stage do not change when it is done.
    else await execute('cp', ['-al', this.root(base.name), root]);
    let workDir = root;
    for (const step of base === undefined ? stage.instructions : [...inherited(base), ...stage.instructions]) {
      if (step.name === 'WORKDIR') mkdirSync((workDir = join(root, step.text)), { recursive: true });
      else if (step.name === 'COPY') await this.copy(step, root, workDir);
      else if (step.name === 'RUN') await this.execute(step.text, workDir, stage);
    }
  }

  private async copy({ flags, text }: Instruction, root: string, workDir: string): Promise<void> {
    const paths = text.split(/\s+/);
    const target = paths.pop() ?? '';
    const isFolder = target.endsWith('/');
    const to = target.startsWith('/') ? join(root, target) : join(workDir, target);
    for (const path of paths) {
      const { from } = flags;
      if (from !== undefined) {
        await execute('cp', ['-al', join(this.root(from), path), isFolder ? join(to, basename(path)) : to]);
        continue;
      }
      const files = this.context.filter((file) => file === path || file.startsWith(`${path}/`));
      if (files.length === 0) throw new Error(`COPY ${path}: the build context does not have it`);
      for (const file of files) {
        const place =
          file === path ? (isFolder ? join(to, basename(path)) : to) : join(to, file.slice(path.length + 1));
        mkdirSync(dirname(place), { recursive: true });
        cpSync(join(ROOT, file), place);
        // An engine keeps the modes: those of a checkout by somebody with umask 077.
        chmodSync(place, parseInt(flags['chmod'] ?? '600', 8));
      }
    }
  }

  /** As nobody, so that a step that needs more fails here. */
  private async execute(command: string, workDir: string, stage: Stage): Promise<void> {
    if (isRoot)
      for (const folder of [workDir, this.home]) await execute('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
    if (isRoot) chmodSync(this.folder, 0o755);
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    try {
      await execute('sh', ['-c', command], { cwd: workDir, env: this.environment(stage), ...user });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`RUN ${command} failed:\n${stdout ?? ''}\n${stderr ?? ''}`, { cause: error });
    }
  }
}

function inherited(base: Stage): Instruction[] {
  return base.instructions.filter(({ name }) => name === 'WORKDIR');
}
