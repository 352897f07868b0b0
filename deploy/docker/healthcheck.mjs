// Exit code 0 while the server in this container serves: HEALTHCHECK of the Dockerfile. The image has no curl.
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const { POGO_WS_PORT: ours, REVERB_SERVER_PORT: reverb, POGO_WS_TLS_CERT: cert } = process.env;
// The certificate is for another name than that of loopback.
const options = {
  host: '127.0.0.1',
  port: ours || reverb || 8080,
  path: '/up',
  timeout: 2_000,
  rejectUnauthorized: false,
};
const request = (cert ? https : http)(options, ({ statusCode }) => end(statusCode === 200 ? 0 : 1));
request.on('error', () => end(1));
request.on('timeout', () => end(1));
request.end();

function end(code) {
  process.exit(code);
}
