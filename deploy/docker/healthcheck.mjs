// Exit code 0 while the server in this container serves: HEALTHCHECK of the Dockerfile. The image has no curl.
import { readFileSync } from 'node:fs';
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const { env } = process;
const file = env.POGO_WS_CONFIG ? await settingsOf(env.POGO_WS_CONFIG) : {};
// As the server reads them. Not by its own loader: that takes a second of a core, and this runs every ten.
const setting = (name, reverb) => env[`POGO_WS_${name.toUpperCase()}`] || file[name] || env[reverb];

const host = setting('host', 'REVERB_SERVER_HOST') ?? '0.0.0.0';
const options = {
  host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
  port: setting('port', 'REVERB_SERVER_PORT') || 8080,
  path: '/up',
  timeout: 2_000,
  // The certificate is for another name than that of loopback.
  rejectUnauthorized: false,
};
const request = (setting('tls_cert') ? https : http)(options, ({ statusCode }) => end(statusCode === 200 ? 0 : 1));
request.on('error', () => end(1));
request.on('timeout', () => end(1));
request.end();

function end(code) {
  process.exit(code);
}

/** A file with a mistake is read as far as it goes: the server goes on with what it has read before. */
async function settingsOf(path) {
  const { isMap, parseDocument } = await import('yaml');
  try {
    const { contents } = parseDocument(readFileSync(path, 'utf8'), { schema: 'failsafe', logLevel: 'silent' });
    const entries = isMap(contents) ? contents.items.map(({ key, value }) => [key?.value, value?.value]) : [];
    return Object.fromEntries(entries.filter(([, value]) => !['', '~', 'null'].includes(value ?? '')));
  } catch {
    return {};
  }
}
