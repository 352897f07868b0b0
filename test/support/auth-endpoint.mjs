/*
 * An application's authorization endpoint, as a process of its own: `fork(this, [key, secret, port])`. It listens on the
 * loopback interface, tells its parent what it sees (see AuthEndpointMessage in auth-endpoint.ts), and does what its mode
 * says, which the parent sends as `{ mode }`.
 */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

const [key, secret, port] = process.argv.slice(2);
let mode = 'ok';
let connections = 0;
let open = 0;
let active = 0;
/** What waits for the parent's word, the oldest first: how to answer it, and how to cut it off. */
const held = [];

const sign = (text) => createHmac('sha256', secret).update(text).digest('hex');

function signature({ channel_name: channel, socket_id: socketId }) {
  if (!channel.startsWith('presence-')) return { auth: `${key}:${sign(`${socketId}:${channel}`)}` };
  const channelData = JSON.stringify({ user_id: `user of ${socketId}`, user_info: { name: 'Ada' } });
  return { auth: `${key}:${sign(`${socketId}:${channel}:${channelData}`)}`, channel_data: channelData };
}

const json = (response, status, value) =>
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

const SECRET_OF_THE_ENDPOINT = { message: 'what only the application may know' };

/** Each answers one request; `asked` is its body, parsed. */
const MODES = {
  ok: (response, asked) => json(response, 200, signature(asked)),
  hang: (response, asked) =>
    held.push({ answer: () => MODES.ok(response, asked), cut: () => response.socket?.destroy() }),
  'status 500': (response) => json(response, 500, SECRET_OF_THE_ENDPOINT),
  'status 503': (response) => json(response, 503, SECRET_OF_THE_ENDPOINT),
  'status 401': (response) => json(response, 401, SECRET_OF_THE_ENDPOINT),
  'status 403': (response) => json(response, 403, SECRET_OF_THE_ENDPOINT),
  // Allowed, if anything but 200 counted.
  'status 201': (response, asked) => json(response, 201, signature(asked)),
  redirect: (response) => response.writeHead(302, { Location: '/login' }).end(),
  huge: (response) => endless(response, Buffer.alloc(16_384, ' ')),
  'huge refusal': (response) => endless(response.writeHead(403), Buffer.alloc(16_384, ' ')),
  drip: (response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  },
  'invalid JSON': (response) => response.end('<!doctype html>'),
  'JSON null': (response) => json(response, 200, null),
  'auth of another type': (response) => json(response, 200, { auth: true }),
  'channel_data of another type': (response, asked) =>
    json(response, 200, { ...signature(asked), channel_data: { user_id: '1' } }),
  'no auth': (response) => json(response, 200, { status: 'ok' }),
  'empty array': (response) => json(response, 200, []),
  'empty auth': (response) => json(response, 200, { auth: '' }),
  'wrong signature': (response) => json(response, 200, { auth: `${key}:${'0'.repeat(64)}` }),
  'other socket': (response, asked) => json(response, 200, signature({ ...asked, socket_id: '1.1' })),
  'no channel_data': (response, { channel_name, socket_id }) =>
    json(response, 200, { auth: `${key}:${sign(`${socket_id}:${channel_name}`)}` }),
  'channel_data without user_id': (response, { channel_name, socket_id }) =>
    json(response, 200, { auth: `${key}:${sign(`${socket_id}:${channel_name}:{}`)}`, channel_data: '{}' }),
  close: (response) => response.socket.destroy(),
  truncated: (response) => {
    response.writeHead(200, { 'Content-Length': '100' });
    response.write('{"auth":"', () => response.socket.destroy());
  },
  // As a server that gives up an idle connection just when it is used again.
  'close reused': (response, asked) =>
    response.socket.requests > 1 ? response.socket.destroy() : MODES.ok(response, asked),
};

function endless(response, chunk) {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const { socket } = request;
  socket.requests = (socket.requests ?? 0) + 1;
  active++;
  response.on('close', () => active--);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    const { method, url, rawHeaders } = request;
    process.send({ type: 'request', method, url, rawHeaders, body, connection: socket.number, active });
    MODES[mode](response, JSON.parse(body));
  });
});

server.on('connection', (socket) => {
  socket.number = ++connections;
  process.send({ type: 'connections', open: ++open });
  socket.on('error', () => undefined);
  socket.on('close', () => process.send({ type: 'connections', open: --open }));
});

process.on('message', (message) => {
  if (message.mode !== undefined) {
    if (MODES[message.mode] === undefined) throw new Error(`no such mode: ${message.mode}`);
    mode = message.mode;
  }
  if (message.release === true) for (const { answer } of held.splice(0)) answer();
  if (message.cut !== undefined) for (const { cut } of held.splice(0, message.cut)) cut();
  process.send({ type: 'done' });
});
process.on('disconnect', () => process.exit());

server.listen(Number(port), '127.0.0.1', 4_096, () => process.send({ type: 'listening', port: server.address().port }));
