import { CommandBus, type Command } from './command-bus.js';

/** Commands within one process; buses that share `nodes` stand for the nodes of a cluster. */
export class MemoryCommandBus extends CommandBus {
  constructor(private readonly nodes: Set<(command: Command) => void> = new Set()) {
    super();
  }

  listen(listener: (command: Command) => void): void {
    this.nodes.add(listener);
  }

  send(command: Command): Promise<void> {
    for (const node of this.nodes) node(command);
    return Promise.resolve();
  }
}
