// What Node itself needs: `node:http` and `ws` with just enough of the protocol for the bench, and nothing that a server must
// have: no signature, no check, no limit, no error. Where this one is slower at HTTP than a peer, so is every program on them.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const channels = new Map();
const text = (event, channel, data) => JSON.stringify({ event, channel, data });

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { name, channels: names, data } = JSON.parse(Buffer.concat(chunks));
    for (const channel of names) {
      const message = text(name, channel, data);
      for (const socket of channels.get(channel) ?? []) socket.send(message);
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 });
    response.end('{}');
  });
});

let opened = 0;
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('message', (bytes) => {
    const { event, data } = JSON.parse(bytes);
    if (event !== 'pusher:subscribe') return;
    const subscribers = channels.get(data.channel) ?? new Set();
    channels.set(data.channel, subscribers.add(socket));
    socket.on('close', () => subscribers.delete(socket));
    socket.send(text('pusher_internal:subscription_succeeded', data.channel, '{}'));
  });
  const established = { socket_id: `1.${++opened}`, activity_timeout: 120 };
  socket.send(text('pusher:connection_established', undefined, JSON.stringify(established)));
});

process.on('disconnect', () => process.exit(0));
server.listen(0, process.env.BARE_HOST, () => process.send({ port: server.address().port }));
