import { once } from 'node:events';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { Controller, Module } from '@nestjs/common';
import { MessagePattern, ServerTCP, Transport } from '@nestjs/microservices';
import { CommandServer, createGateway, GatewayModule, loadConfig } from '@pogo/gateway';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { COMMAND_SECRET, publishFields, signed, TestPublisher } from '../support/publisher.js';

/*
 * Whoever can connect to the command port, without the secret. Nest's framing is `<length>#<JSON>`.
 */

const SETTINGS = { command_secret: COMMAND_SECRET, command_port: '0', log_level: 'debug' };
const log = new Log();

let gateway: TestGateway;
let publisher: TestPublisher;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: SETTINGS, logger: log });
  const options = { secret: COMMAND_SECRET, tcp: { port: portOf(gateway) } };
  publisher = await TestPublisher.start(options, log);
});
afterAll(async () => {
  await publisher.stop();
  await gateway.stop();
});

const portOf = ({ app }: TestGateway) => app.get(CommandServer).boundPort;
const frame = (message: unknown) => {
  const json = JSON.stringify(message);
  return `${json.length}#${json}`;
};
const request = (pattern: string, data: unknown, id: string | undefined = 'id') => frame({ pattern, data, id });

/** A connection to the command port. */
async function dial(): Promise<Socket> {
  const socket = connect(portOf(gateway), '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the other side has closed the connection. */
async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** The one answer that comes on a connection. */
async function answer(socket: Socket): Promise<unknown> {
  const bytes = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  return JSON.parse(bytes.toString().replace(/^\d+#/, ''));
}

const openConnections = () =>
  new Promise<number>((resolve, reject) => {
    const server = gateway.app.get(CommandServer).unwrap<Server>();
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });

const isServed = async () => (await publisher.pogo.publish('1', 'orders', 'paid', '1')) === 0;

describe('the command port', () => {
  it.each([
    ['no length', 'garbage#'],
    ['a length that is none', 'x12#{}'],
    ['JSON that is broken', '6#{"a":}'],
    ['no JSON', '5#hello'],
    ['a number', frame(7)],
    ['no object', frame('text')],
    ['a list', frame([1])],
    ['nothing', frame(null)],
    ['no pattern', frame({ data: 1, id: 'id' })],
    ['a pattern that is nobody’s', request('other', {})],
    ['a pattern that is no text', frame({ pattern: { cmd: 'pogo.publish' }, data: {}, id: 'id' })],
    ['an id that is no text', frame({ pattern: 'pogo.publish', data: {}, id: { a: 1 } })],
    ['an id without end', request('pogo.publish', {}, 'i'.repeat(129))],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n#'],
  ])('closes a connection that sends %s, and serves the others', async (_what, bytes) => {
    const socket = await dial();
    socket.write(bytes);
    await closed(socket);
    expect(await isServed()).toBe(true);
  });

  it('closes a connection with a message that is longer than any command', async () => {
    const socket = await dial();
    const chunk = Buffer.alloc(65_536, 'a');
    socket.write(`999999999#`);
    // Its end may come before everything is written.
    while (!socket.closed && socket.bytesWritten < 64 * 1_048_576) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed(socket)]);
    }
    await closed(socket);
    // What the kernel has taken and nobody has read is among it.
    expect(socket.bytesWritten).toBeLessThan(32 * 1_048_576);
    expect(await isServed()).toBe(true);
  });

  it('lets go of one who sends garbage and never closes', async () => {
    const socket = connect({ port: portOf(gateway), host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.on('error', () => undefined).destroy());
    await once(socket, 'connect');
    await expect.poll(openConnections).toBe(2);
    socket.write('garbage#');
    // The publisher's is left.
    await expect.poll(openConnections).toBe(1);
  });

  it('serves while a hundred connections say nothing, and a hundred have begun something', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, dial));
    for (const socket of sockets.slice(100)) socket.write('100#{"pattern":"pogo.pub');
    expect(await isServed()).toBe(true);
    for (const socket of sockets) expect(socket.closed).toBe(false);
  });

  it('has no more connections than it can bear', async () => {
    // Those of the tests before are gone when the server has noticed.
    await expect.poll(openConnections).toBe(1);
    const sockets = await Promise.all(Array.from({ length: 300 }, dial));
    const results = sockets.map(async (socket) => {
      socket.write(request('pogo.publish', {}));
      return Promise.race([answer(socket), closed(socket).then(() => 'closed')]);
    });
    const answers = await Promise.all(results);
    // One of them is the publisher's.
    expect(answers.filter((result) => result !== 'closed')).toHaveLength(255);
    expect(await isServed()).toBe(true);
  });

  it('carries out a command that wants no answer, and says nothing to one that is refused', async () => {
    const client = await gateway.connect();
    await client.subscribe('orders');
    const socket = await dial();
    socket.write(frame({ pattern: 'pogo.publish', data: {} }));
    socket.write(frame({ pattern: 'pogo.publish', data: signed('pogo.publish', 'no JSON') }));
    const command = signed('pogo.publish', publishFields({ event: 'unanswered' }));
    socket.write(frame({ pattern: 'pogo.publish', data: command }));
    await client.receive('unanswered');
    socket.write(request('pogo.publish', command));
    expect(await answer(socket)).toEqual({
      id: 'id',
      isDisposed: true,
      err: { error: 'the nonce has been used before' },
    });
  });

  it('is for signed commands: what nodes tell each other is not heard', async () => {
    const client = await gateway.connect();
    await client.signin({ id: 'u' });
    const command = { type: 'terminate_user', appId: '1', userId: 'u' };
    for (const id of ['id', undefined]) {
      const socket = await dial();
      socket.write(frame({ pattern: 'command', data: command, id }));
      await closed(socket);
    }
    expect(await client.settle()).toHaveLength(2);
  });

  it('listens on loopback alone', () => {
    const server = gateway.app.get(CommandServer).unwrap<Server>();
    expect(server.address() as AddressInfo).toMatchObject({ address: '127.0.0.1' });
    expect(log.lines).toContain(`log serving commands on tcp://127.0.0.1:${portOf(gateway)}`);
  });

  it('has logged nothing of that above debug, and nothing that was sent', () => {
    const loud = log.lines.filter((line) => !line.startsWith('debug') && !line.startsWith('log'));
    expect(loud).toEqual([]);
    expect(log.lines).toContain('debug refused: a command is {body, timestamp, nonce, signature}');
    expect(log.lines.join('\n')).not.toMatch(/garbage|hello|nobody|test-command-secret|[0-9a-f]{64}/);
  });
});

describe('the command port of an application that has its own patterns', () => {
  it('does not serve those', async () => {
    const heard: unknown[] = [];
    @Controller()
    class Sums {
      @MessagePattern('sum')
      sum(numbers: unknown): number {
        heard.push(numbers);
        return 3;
      }

      @MessagePattern('sum', Transport.TCP)
      sumOverTcp(numbers: unknown): number {
        heard.push(numbers);
        return 3;
      }
    }
    const environment = { POGO_WS_COMMAND_SECRET: COMMAND_SECRET, POGO_WS_COMMAND_PORT: '0' };
    @Module({ imports: [GatewayModule.forRoot({ config: loadConfig(environment) })], controllers: [Sums] })
    class Application {}
    const app = await createGateway(Application, { logger: log });
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const socket = connect(app.get(CommandServer).boundPort, '127.0.0.1').on('error', () => undefined);
    socket.write(request('sum', [1, 2]));
    await closed(socket);
    expect(heard).toEqual([]);
  });
});

describe('a transport of the application’s own', () => {
  it('serves signed commands as well, and never what nodes tell each other', async () => {
    const own = new ServerTCP({ port: 0 });
    const other = await TestGateway.start({ settings: SETTINGS });
    onTestFinished(() => other.stop());
    other.app.connectMicroservice({ strategy: own });
    expect([...own.getHandlers().keys()].sort()).toEqual(['pogo.publish', 'pogo.publish_many', 'pogo.terminate_user']);
  });
});

describe('a gateway with a command port', () => {
  it('does not start when the port is taken, and says so', async () => {
    const settings = { ...SETTINGS, command_port: String(portOf(gateway)) };
    await expect(TestGateway.start({ settings })).rejects.toThrow(/EADDRINUSE.*127\.0\.0\.1/);
  });

  it('closes it and its connections with the application', async () => {
    const other = await TestGateway.start({ settings: SETTINGS });
    const port = portOf(other);
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    await other.stop();
    await closed(socket);
    const late = connect(port, '127.0.0.1');
    await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('has none without a command_secret', async () => {
    const other = await TestGateway.start();
    onTestFinished(() => other.stop());
    expect(other.app.get(CommandServer)).toBeUndefined();
  });
});
