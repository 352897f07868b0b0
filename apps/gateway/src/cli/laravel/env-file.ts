import type { PlannedFile } from './planned-file.js';

const LINE = /^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=(.*?)(\r?)$/s;

/** A `.env`: lines are changed where they stand, everything else stays as it is, each line's end as well. */
export class EnvFile {
  private readonly lines: string[];
  /** Of lines that are added, before their newline. */
  private readonly end: string;
  private readonly added: string[] = [];

  constructor(private readonly file: PlannedFile) {
    this.end = file.newline.slice(0, -1);
    this.lines = file.text === '' ? [] : file.text.replace(/\n$/, '').split('\n');
  }

  /** The value without quotes; undefined when there is no such name, "" when it has none. The last line counts, as it does for Laravel. */
  get(name: string): string | undefined {
    const line = this.lines.findLast((text) => LINE.exec(text)?.[2] === name);
    if (line === undefined) return undefined;
    const value = (LINE.exec(line)?.[3] ?? '').trim();
    const quoted = /^(["'])(.*?)\1/.exec(value)?.[2];
    return quoted ?? value.replace(/\s+#.*$/, '').replace(/^#.*$/, '');
  }

  /** Sets the value where the name stands, or at the end. */
  set(name: string, value: string): void {
    const at = this.lines.findLastIndex((text) => LINE.exec(text)?.[2] === name);
    if (at < 0) this.added.push(`${name}=${value}`);
    else {
      const [, before = '', , , end = ''] = LINE.exec(this.lines[at] ?? '') ?? [];
      this.lines[at] = `${before}${name}=${value}${end}`;
    }
  }

  /** Sets what has no value yet. False when it has one. */
  fill(name: string, value: string): boolean {
    const current = this.get(name);
    if (current !== undefined && (current !== '' || value === '')) return false;
    this.set(name, value);
    return true;
  }

  /** Hands the text back to the file. New names stand together, after an empty line. */
  save(): void {
    const { lines, added, end, file } = this;
    if (added.length > 0 && file.text !== '' && !file.text.endsWith('\n')) lines.push((lines.pop() ?? '') + end);
    const gap = added.length > 0 && lines.length > 0 && lines.at(-1)?.trim() !== '' ? [''] : [];
    const text = [...lines, ...[...gap, ...added].map((line) => line + end)].join('\n');
    const hadEnd = file.text === '' || file.text.endsWith('\n');
    file.text = hadEnd || added.length > 0 ? `${text}\n` : text;
  }
}
