import { parseCommandLine } from './config/command-line.js';
import { serve } from './serve.js';

void serve(() => parseCommandLine(process.argv.slice(2)));
