// What Laravel is in a real application: serves the page, says who may subscribe, and publishes what people write.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Pusher from 'pusher';
import { findFile } from './files.mjs';
import { NO_COOKIE, Sessions } from './session.mjs';
import { readSettings } from './settings.mjs';

const CHANNEL = 'presence-lobby';
/** The name that Laravel gives the event of a class: Echo's `listen('MessageSent')` asks for it. */
const MESSAGE_SENT = 'App\\Events\\MessageSent';
const MAX_BODY_BYTES = 8192;
const MAX_TEXT_LENGTH = 500;

const { app, gateway, host, port } = settingsOrExit();
const sessions = new Sessions(app.secret);
const pusher = new Pusher({
  appId: app.id,
  key: app.key,
  secret: app.secret,
  host: gateway.host,
  port: String(gateway.port),
  useTLS: gateway.hasTls,
  timeout: 5000,
});

const origin = `${gateway.hasTls ? 'wss' : 'ws'}://${gateway.host}:${gateway.port}`;
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${origin}; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const ROUTES = {
  'GET /session': readSession,
  'POST /session': signIn,
  'DELETE /session': () => ({ body: {}, headers: { 'Set-Cookie': NO_COOKIE } }),
  'POST /broadcasting/auth': authorizeChannel,
  'POST /messages': publishMessage,
};

/** What ends a request early. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function readSession({ headers }) {
  const { host: wsHost, port: wsPort, hasTls } = gateway;
  return { body: { user: sessions.find(headers.cookie) ?? null, gateway: { key: app.key, wsHost, wsPort, hasTls } } };
}

async function signIn(request) {
  const { name } = await readJson(request);
  const user = sessions.create(name);
  if (user === undefined) throw new Refusal(422, 'A name has 1 to 40 characters.');
  return { body: { user }, headers: { 'Set-Cookie': sessions.cookie(user) } };
}

/** What Laravel's Broadcast::auth does: `key:hex(HMAC-SHA256(secret, socket_id:channel:channel_data))`. */
async function authorizeChannel(request) {
  const user = signedIn(request);
  const body = new URLSearchParams(await readBody(request));
  if (body.get('channel_name') !== CHANNEL) throw new Refusal(403, 'There is no such channel.');
  return {
    body: pusher.authorizeChannel(socketId(body.get('socket_id')), CHANNEL, { user_id: user.id, user_info: user }),
  };
}

/** What broadcast(new MessageSent($message))->toOthers() does: the sender's page shows its own message by itself. */
async function publishMessage(request) {
  const user = signedIn(request);
  const { text } = await readJson(request);
  if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_TEXT_LENGTH) {
    throw new Refusal(422, `A message has 1 to ${MAX_TEXT_LENGTH} characters.`);
  }
  const message = { id: randomUUID(), user, text: text.trim(), sentAt: new Date().toISOString() };
  const sender = request.headers['x-socket-id'];
  const exclusion = sender === undefined ? {} : { socket_id: socketId(sender) };
  await pusher.trigger(CHANNEL, MESSAGE_SENT, message, exclusion).catch((error) => {
    throw new Refusal(502, `The gateway has not taken the message: ${error.message}`);
  });
  return { status: 201, body: message };
}

function signedIn({ headers }) {
  const user = sessions.find(headers.cookie);
  if (user === undefined) throw new Refusal(403, 'Nobody is signed in.');
  return user;
}

function socketId(text) {
  if (text === null || !/^\d+\.\d+$/.test(text)) throw new Refusal(422, 'That is no socket id.');
  return text;
}

async function readJson(request) {
  const isJson = /^application\/json\b/.test(request.headers['content-type'] ?? '');
  const text = await readBody(request);
  try {
    const value = isJson ? JSON.parse(text) : null;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Answered below.
  }
  throw new Refusal(400, 'That is no JSON object.');
}

async function readBody(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new Refusal(413, 'That is too much.');
  }
  return body;
}

async function respond(request, response) {
  const [path] = request.url.split('?', 1);
  const route = ROUTES[`${request.method} ${path}`];
  if (route !== undefined) {
    const { status = 200, body, headers = {} } = await route(request);
    send(response, status, 'application/json', JSON.stringify(body), headers);
    return;
  }
  const file = request.method === 'GET' ? await findFile(path) : undefined;
  if (file === undefined) throw new Refusal(404, 'There is nothing here.');
  send(response, 200, file.type, file.body);
}

function send(response, status, type, body, headers = {}) {
  response.writeHead(status, { ...HEADERS, ...headers, 'Content-Type': type }).end(body);
}

function refuse(response, error) {
  const [status, message] = error instanceof Refusal ? [error.status, error.message] : [500, 'Something went wrong.'];
  if (status >= 500) console.error(error.message);
  send(response, status, 'application/json', JSON.stringify({ message }));
}

function settingsOrExit() {
  try {
    return readSettings();
  } catch (error) {
    console.error(error.message);
    process.exit(78);
  }
}

const server = createServer((request, response) => {
  respond(request, response).catch((error) => refuse(response, error));
});
server.requestTimeout = 10_000;
server.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen(port, host, () => console.log(`Chat on http://${host}:${server.address().port}/`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
