// Installs what package-lock.json says, unless it is there already.
import { ensureInstalled, requireNode } from './lib/project.mjs';

requireNode();
await ensureInstalled();
process.exit(0);
