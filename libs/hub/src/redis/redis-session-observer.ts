import type { Entry } from './redis-restore.js';

/** Whoever has something in this node's session: the directories. */
export interface SessionObserver {
  /** Everything that this node's own clients have been told they hold; read again at every new start. */
  entries?(): Iterable<Entry>;
  /** What has left while Redis could not be told. */
  departed?(): Iterable<Entry>;
  /** App id → connections here. */
  readonly connections?: ReadonlyMap<string, number>;
  /** Transitions are held back from now on, on all nodes. */
  heldBack?(): void;
  /** They are no more; what was held back must be read. */
  released?(): void;
  /** The session has begun anew. */
  missed?(): void;
}

const NO_CONNECTIONS: ReadonlyMap<string, number> = new Map();

/** All of them. */
export class SessionObservers {
  private readonly observers: SessionObserver[] = [];

  add(observer: SessionObserver): void {
    this.observers.push(observer);
  }

  /** @param hasForgotten Redis has lost its data. */
  entries(hasForgotten: boolean): Entry[] {
    return this.observers.flatMap((observer) => [
      ...(observer.entries?.() ?? []),
      ...((hasForgotten ? observer.departed?.() : undefined) ?? []),
    ]);
  }

  get connections(): ReadonlyMap<string, number> {
    return this.observers.find(({ connections }) => connections !== undefined)?.connections ?? NO_CONNECTIONS;
  }

  tell(what: 'heldBack' | 'released' | 'missed'): void {
    for (const observer of this.observers) observer[what]?.();
  }
}
