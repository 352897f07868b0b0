import { parseCommandLine } from './config/command-line.js';
import { startEnvironment } from './config/load-config.js';
import { serve } from './serve.js';

void serve(() => [startEnvironment(), parseCommandLine(process.argv.slice(2))]);
