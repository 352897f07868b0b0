import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endOfTurn, hangUp, receives, subscribe, TestCluster, type FakeClient } from '../testing/hub-harness.js';

let cluster: TestCluster;
// A slice ends after 2 ms, which a busy machine may take for anything; fairness.spec.ts is about that.
beforeEach(() => void vi.spyOn(performance, 'now').mockReturnValue(0));
afterEach(async () => {
  vi.restoreAllMocks();
  await cluster.close();
});

const ACKNOWLEDGED = 'pusher_internal:subscription_succeeded';

async function clientsOf(channel: string, count: number): Promise<FakeClient[]> {
  const clients = Array.from({ length: count }, () => cluster.node(0).connect());
  for (const client of clients) await subscribe(client, channel);
  return clients;
}

const publish = (channel: string, event: string, data = '1', exceptSocketId = '') =>
  cluster.node(0).hub.publish('app', channel, event, data, { exceptSocketId });

/** System calls that `socket` needs for what `work` causes in one turn. */
async function writesOf({ socket }: FakeClient, work: () => void): Promise<number> {
  const before = socket.writes;
  work();
  await endOfTurn();
  return socket.writes - before;
}

describe('one turn of the event loop', () => {
  it('sends a single event before it ends', async () => {
    cluster = new TestCluster();
    const [client] = (await clientsOf('room', 1)) as [FakeClient];
    void publish('room', 'hello');
    await endOfTurn();
    expect(client.socket.names).toEqual([ACKNOWLEDGED, 'hello']);
  });

  it('sends all events of a channel in one system call, and one buffer to all subscribers', async () => {
    cluster = new TestCluster();
    const clients = await clientsOf('room', 3);
    const writes = await writesOf(clients[0] as FakeClient, () => {
      for (let i = 0; i < 20; i++) void publish('room', `e${i}`);
    });
    expect(writes).toBe(1);
    const buffers = new Set(clients.map(({ socket }) => socket.chunks.at(-1)));
    expect(buffers.size).toBe(1);
    for (const { socket } of clients) {
      expect(socket.names).toEqual([ACKNOWLEDGED, ...Array.from({ length: 20 }, (_, i) => `e${i}`)]);
    }
  });

  it('sends the events of several channels in one system call per socket', async () => {
    cluster = new TestCluster();
    const clients = await clientsOf('channel-0', 3);
    const channels = Array.from({ length: 10 }, (_, i) => `channel-${i}`);
    for (const client of clients) for (const channel of channels.slice(1)) await subscribe(client, channel);
    const { hub } = cluster.node(0);
    const before = hub.counters().socketWrites;
    const writes = await writesOf(clients[0] as FakeClient, () => {
      for (const channel of channels) for (let i = 0; i < 3; i++) void publish(channel, `${channel} ${i}`);
    });
    expect(writes).toBe(1);
    expect(hub.counters().socketWrites - before).toBe(clients.length);
    for (const { socket } of clients) {
      const names = socket.names.filter((name) => name !== ACKNOWLEDGED);
      expect(names).toHaveLength(30);
      // Strict within a channel; between channels there is no order.
      for (const channel of channels) {
        const ofChannel = names.filter((name) => name.startsWith(`${channel} `));
        expect(ofChannel).toEqual([0, 1, 2].map((i) => `${channel} ${i}`));
      }
    }
  });

  it('does not cork a socket that can get only one write', async () => {
    cluster = new TestCluster();
    const [client] = (await clientsOf('room', 1)) as [FakeClient];
    await subscribe(client, 'quiet');
    const corks: string[] = [];
    client.socket.cork = () => void corks.push('cork');
    client.socket.uncork = () => void corks.push('uncork');
    void publish('room', 'hello');
    await endOfTurn();
    expect(corks).toEqual([]);
    void publish('quiet', 'now both');
    void publish('room', 'now both');
    await endOfTurn();
    expect(corks).toEqual(['cork', 'uncork']);
  });
});

describe('a batch', () => {
  it('is written around the event that a subscriber is not to get, from the same buffer and in one system call', async () => {
    cluster = new TestCluster();
    const [sender, other] = (await clientsOf('room', 2)) as [FakeClient, FakeClient];
    const writes = await writesOf(sender, () => {
      void publish('room', 'e0');
      void publish('room', 'own', '1', sender.connection.socketId);
      void publish('room', 'e2');
    });
    expect(sender.socket.names).toEqual([ACKNOWLEDGED, 'e0', 'e2']);
    expect(other.socket.names).toEqual([ACKNOWLEDGED, 'e0', 'own', 'e2']);
    expect(writes).toBe(1);
    const shared = other.socket.chunks.at(-1)?.buffer;
    expect(sender.socket.chunks.slice(-2).map(({ buffer }) => buffer)).toEqual([shared, shared]);
  });

  it('writes nothing to a subscriber that is to get none of it', async () => {
    cluster = new TestCluster();
    const [sender] = (await clientsOf('room', 2)) as [FakeClient, FakeClient];
    const writes = await writesOf(sender, () => void publish('room', 'own', '1', sender.connection.socketId));
    expect(writes).toBe(0);
  });

  it('has nothing for who joined after the publish, although it is written later', async () => {
    cluster = new TestCluster();
    const [early] = (await clientsOf('room', 1)) as [FakeClient];
    const late = cluster.node(0).connect();
    await publish('room', 'before');
    await subscribe(late, 'room');
    expect(early.socket.names).not.toContain('before');
    void publish('room', 'after');
    await endOfTurn();
    expect(early.socket.names).toEqual([ACKNOWLEDGED, 'before', 'after']);
    expect(late.socket.names).toEqual([ACKNOWLEDGED, 'after']);
  });

  it('does not repeat the cached event that the acknowledgement brought', async () => {
    cluster = new TestCluster();
    const [early] = (await clientsOf('cache-room', 1)) as [FakeClient];
    const late = cluster.node(0).connect();
    const joining = subscribe(late, 'cache-room');
    void publish('cache-room', 'cached');
    await joining;
    await endOfTurn();
    expect(early.socket.names.filter((name) => name === 'cached')).toHaveLength(1);
    expect(late.socket.names.filter((name) => name === 'cached')).toHaveLength(1);
  });

  it('has nothing for who left before it was written', async () => {
    cluster = new TestCluster();
    const [leaver, other] = (await clientsOf('room', 2)) as [FakeClient, FakeClient];
    void publish('room', 'hello');
    void cluster.node(0).hub.unsubscribe(leaver.connection, 'room');
    await endOfTurn();
    expect(leaver.socket.names).toEqual([ACKNOWLEDGED]);
    expect(other.socket.names).toEqual([ACKNOWLEDGED, 'hello']);
  });

  it('survives that subscribers come and go while it is written', async () => {
    cluster = new TestCluster();
    const clients = await clientsOf('room', 100);
    const { hub } = cluster.node(0);
    const joined: Promise<FakeClient>[] = [];
    for (const [i, { socket }] of clients.entries()) {
      const write = socket.write.bind(socket);
      // From within the batch: its successor leaves, and somebody comes.
      socket.write = (bytes) => {
        const next = clients[i + 1];
        if (i % 2 === 0 && next !== undefined) void hub.unsubscribe(next.connection, 'room');
        if (i % 10 === 0) joined.push(clientsOf('room', 1).then(([client]) => client as FakeClient));
        socket.write = write;
        return write(bytes);
      };
    }
    void publish('room', 'hello');
    await receives(clients[98] as FakeClient, 'hello');
    const late = await Promise.all(joined);
    void publish('room', 'bye');
    await receives(late[9] as FakeClient, 'bye');
    for (const [i, { socket }] of clients.entries()) {
      expect(socket.names).toEqual(i % 2 === 0 ? [ACKNOWLEDGED, 'hello', 'bye'] : [ACKNOWLEDGED]);
    }
    expect(late).toHaveLength(10);
    for (const { socket } of late) expect(socket.names).toEqual([ACKNOWLEDGED, 'bye']);
  });

  it('is at most about 64 KiB; a larger event travels alone', async () => {
    cluster = new TestCluster();
    const [client] = (await clientsOf('room', 1)) as [FakeClient];
    const sizes = [10_000, 10_000, 50_000, 100_000, 10, 10];
    const before = client.socket.chunks.length;
    for (const [i, size] of sizes.entries()) void publish('room', `e${i}`, 'x'.repeat(size));
    await endOfTurn();
    expect(client.socket.names.slice(1)).toEqual(sizes.map((_, i) => `e${i}`));
    const lengths = client.socket.chunks.slice(before).map(({ length }) => Math.floor(length / 10_000));
    expect(lengths).toEqual([2, 5, 10, 0]);
  });

  it('pins no more memory than its own bytes', async () => {
    cluster = new TestCluster();
    const [client] = (await clientsOf('room', 1)) as [FakeClient];
    client.connection.sendText('{"event":"an answer"}');
    void publish('room', 'small');
    await endOfTurn();
    for (const chunk of client.socket.chunks) expect(chunk.buffer.byteLength).toBe(chunk.length);
  });
});

describe('a close by the server', () => {
  it.each([['while they are pending'], ['while they are being written']])(
    'comes after the events that were published before it, %s',
    async (when) => {
      cluster = new TestCluster();
      const clients = await clientsOf('room', 40);
      const last = clients.at(-1) as FakeClient;
      const { hub } = cluster.node(0);
      hub.signIn(last.connection, { id: 'ada', watchlist: [] });
      // Too much for one batch: the second event waits behind the first.
      await publish('room', 'e0', 'x'.repeat(60_000));
      await publish('room', 'e1', 'x'.repeat(60_000));
      const terminate = () => void hub.terminateUser('app', 'ada');
      if (when === 'while they are pending') terminate();
      else {
        const { socket } = clients[35] as FakeClient;
        const write = socket.write.bind(socket);
        socket.write = (bytes) => {
          terminate();
          socket.write = write;
          return write(bytes);
        };
      }
      await Promise.all(clients.map((client) => receives(client, 'e1')));
      expect(last.socket.names).toEqual([ACKNOWLEDGED, 'e0', 'e1', 'pusher:error']);
      expect(last.socket.closed?.code).toBe(4009);
      for (const { socket } of clients.slice(0, -1)) expect(socket.names).toEqual([ACKNOWLEDGED, 'e0', 'e1']);
    },
  );

  it('is the last thing that is written, also when the client has begun it', async () => {
    cluster = new TestCluster();
    const [closing, other] = (await clientsOf('room', 2)) as [FakeClient, FakeClient];
    await publish('room', 'e0');
    // The closing handshake is under way; the hub hears of it when the socket is gone.
    closing.socket.isOpen = false;
    const written = closing.socket.chunks.length;
    await endOfTurn();
    expect(closing.socket.chunks).toHaveLength(written);
    expect(other.socket.names).toEqual([ACKNOWLEDGED, 'e0']);
  });

  it('leaves nothing of the connection behind in the channel', async () => {
    cluster = new TestCluster();
    const [gone, other] = (await clientsOf('room', 2)) as [FakeClient, FakeClient];
    await publish('room', 'e0');
    hangUp(gone);
    const written = gone.socket.chunks.length;
    void publish('room', 'e1');
    await endOfTurn();
    expect(gone.socket.chunks).toHaveLength(written);
    expect(other.socket.names).toEqual([ACKNOWLEDGED, 'e0', 'e1']);
  });
});
