import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { Sweeper } from './sweeper.js';

describe('Sweeper', () => {
  it('has a clock that advances with its ticks, and by two ticks at most', () => {
    let monotonic = 1_000;
    const sweeper = new Sweeper(100, () => monotonic);
    const times: number[] = [];
    sweeper.add((now) => times.push(now));
    sweeper.start();
    for (const elapsed of [100, 150, 60_000, 0, 100]) {
      monotonic += elapsed;
      sweeper.tick();
    }
    sweeper.stop();
    expect(times).toEqual([100, 250, 450, 450, 550]);
  });

  it('goes on with its other tasks when one throws', () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const sweeper = new Sweeper(100, () => 0);
    let runs = 0;
    sweeper.add(() => {
      throw new Error('a fault');
    });
    sweeper.add(() => runs++);
    sweeper.tick();
    expect([runs, error.mock.calls.length]).toEqual([1, 1]);
    error.mockRestore();
  });

  it('runs its tasks after input that was there when the process had stood still', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = await accepted;
    let hasRead = false;
    socket.on('data', () => (hasRead = true));
    const sweeper = new Sweeper(20);
    const ticked = new Promise<boolean>((resolve) => sweeper.add(() => resolve(hasRead)));
    sweeper.start();
    client.write('pong');
    // The loop is blocked for longer than a tick: the timer and the input are due in the same round of it.
    const until = performance.now() + 60;
    while (performance.now() < until);
    expect(await ticked).toBe(true);
    sweeper.stop();
    client.destroy();
    server.close();
    await once(server, 'close');
  });
});
