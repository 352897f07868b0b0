// The other ends of the sockets of memory.mjs: they read and forget.
import net from 'node:net';

const server = net.createServer((socket) => socket.resume().on('error', () => undefined));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit(0));
