// `npm start`: installs if needed, then builds and runs the server with `nest start`, which compiles what has changed.
// Arguments after `--` reach the server.
import { ensureInstalled, inPackages, requireNode, run } from './lib/project.mjs';

requireNode();
await ensureInstalled();

const args = process.argv.slice(2);
// Without a shell the Nest CLI would hand arguments on in quotes; with one, `exec node` (nest-cli.json) replaces it.
const how = args.length === 0 ? ['--exec', 'node', '--no-shell'] : ['--', ...args];
process.exit(await run(process.execPath, [inPackages('@nestjs', 'cli', 'bin', 'nest.js'), 'start', 'gateway', ...how]));
