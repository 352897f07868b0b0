/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  /** Everything behind the flags. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

const KNOWN = new Set([
  'ARG',
  'FROM',
  'WORKDIR',
  'COPY',
  'RUN',
  'ENV',
  'USER',
  'EXPOSE',
  'HEALTHCHECK',
  'CMD',
  'STOPSIGNAL',
  'LABEL',
]);

/** What this project's Dockerfile uses of the language. @throws Error for anything else, so that no step goes unseen. */
export function parseDockerfile(text: string): Stage[] {
  const args: Record<string, string> = {};
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of logicalLines(text)) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/s.exec(line) ?? [];
    if (!KNOWN.has(name)) throw new Error(`an instruction that the test does not know: ${line}`);
    const resolved = rest.replace(/\$\{(\w+)\}/g, (whole, variable: string) => args[variable] ?? whole);
    if (name === 'ARG') {
      const [key = '', value = ''] = resolved.split('=', 2);
      args[key] = value;
    } else if (name === 'FROM') {
      const [from = '', , stage] = resolved.split(/\s+/);
      stages.push({ name: stage ?? `stage-${stages.length}`, from, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction(name, resolved));
    }
  }
  return stages;
}

function instruction(name: string, rest: string): Instruction {
  const flags: Record<string, string> = {};
  let text = rest;
  for (let flag = /^--([\w-]+)=(\S+)\s+/.exec(text); flag !== null; flag = /^--([\w-]+)=(\S+)\s+/.exec(text)) {
    flags[flag[1] ?? ''] = flag[2] ?? '';
    text = text.slice(flag[0].length);
  }
  return { name, flags, text };
}

function logicalLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** The files of `all` that an engine would be sent, by the rules of a .dockerignore: the last that matches counts. */
export function buildContext(all: readonly string[], ignore: string): string[] {
  const rules = ignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isKept: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }));
  return all.filter((path) => {
    let isKept = true;
    for (const rule of rules) if (rule.pattern.test(path)) isKept = rule.isKept;
    return isKept;
  });
}

/** A path, or everything below it. */
function patternOf(glob: string): RegExp {
  const source = glob
    .split(/(\*\*\/|\*)/)
    .map((part) => (part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}(?:/.*)?$`);
}
