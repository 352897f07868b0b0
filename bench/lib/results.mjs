import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What was measured so far: the scenarios' runs by id, each with its date, its machine and its versions. */
export class Results {
  scenarios = {};

  constructor(folder) {
    this.folder = folder;
    this.path = join(folder, 'results.json');
    try {
      this.scenarios = JSON.parse(readFileSync(this.path, 'utf8')).scenarios;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }

  /** Replaces one scenario and leaves the others as they are. */
  save(id, measured) {
    this.scenarios[id] = measured;
    this.write('results.json', `${JSON.stringify({ scenarios: this.scenarios }, undefined, 1)}\n`);
  }

  write(name, text) {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }
}
