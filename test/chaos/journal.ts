/** What must never be seen. `webhook` is what applications are told, `clients` and the others what clients and servers see. */
export interface Violation {
  readonly kind: string;
  readonly text: string;
}

/** What has happened in a run, for the summary and for whoever has to find out why something is wrong. */
export class Journal {
  readonly lines: string[] = [];
  readonly violations: Violation[] = [];
  /** Seconds that each round took to be right again. */
  readonly settledAfter: number[] = [];
  private readonly counts = new Map<string, number>();
  private readonly known = new Set<string>();
  private readonly startedAt = performance.now();

  note(text: string): void {
    this.lines.push(`${this.clock} ${text}`);
  }

  /** The same is reported once, however often it is seen. */
  violation(kind: string, text: string): void {
    const key = `${kind}: ${text}`;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.violations.push({ kind, text });
    this.note(`VIOLATION ${key}`);
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  countOf(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Of the names that begin with `prefix`, without it: `name count`, most first. */
  list(prefix: string): string {
    const found = [...this.counts].filter(([name]) => name.startsWith(prefix)).sort(([, a], [, b]) => b - a);
    return found.map(([name, count]) => `${name.slice(prefix.length)} ${count}`).join(', ');
  }

  /** Seconds since the run began. */
  get clock(): string {
    return ((performance.now() - this.startedAt) / 1000).toFixed(3).padStart(8);
  }
}
