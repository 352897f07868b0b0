import type { AddressInfo } from 'node:net';
import { GatewayModule } from '@pogo/gateway';
import { AppProvider, completeApp, type App } from '@pogo/hub';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { APP } from '../support/gateway.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';

const BOUND = 4_096;

/** Answers when the test says so: a database that has slowed down. */
class SlowApps extends AppProvider {
  private answer: (app: App) => void = () => undefined;
  private readonly answered = new Promise<App>((resolve) => (this.answer = resolve));

  findById(): Promise<App> {
    return this.answered;
  }

  findByKey(): Promise<App> {
    return this.answered;
  }

  release(): void {
    this.answer(completeApp(APP));
  }
}

let apps: SlowApps;
let gateway: EmbeddedGateway;
const sockets: RawSocket[] = [];
beforeEach(async () => {
  apps = new SlowApps();
  const config = configOf({ auth_timeout: '5m' });
  gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config, apps: { useValue: apps } }));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway.stop();
});

async function dial(): Promise<RawSocket> {
  const { port } = gateway.app.getHttpServer().address() as AddressInfo;
  const socket = await RawSocket.dial(port);
  sockets.push(socket);
  socket.write(upgradeRequest(`/app/${APP.key}`));
  return socket;
}

const answerOf = (socket: RawSocket) => socket.until(({ statusLine }) => (statusLine === '' ? undefined : statusLine));

/** The first `count` of the answers to `sockets`. */
function firstAnswers(sockets: readonly RawSocket[], count: number): Promise<readonly string[]> {
  const answers: string[] = [];
  return new Promise((resolve, reject) => {
    for (const socket of sockets) {
      answerOf(socket).then((answer) => (answers.push(answer) === count ? resolve(answers) : undefined), reject);
    }
  });
}

describe('Handshakes that wait for an app provider', () => {
  it('are bounded: what comes beyond is refused at once, and those that wait are served', async () => {
    const dialled: RawSocket[] = [];
    // In steps, for the backlog of the listening socket.
    while (dialled.length < BOUND) dialled.push(...(await Promise.all(Array.from({ length: 128 }, dial))));
    const beyond = await Promise.all(Array.from({ length: 3 }, dial));
    const all = [...dialled, ...beyond];
    const early = await firstAnswers(all, 3);
    expect(new Set(early)).toEqual(new Set(['HTTP/1.1 503 Service Unavailable']));

    apps.release();
    const answers = await Promise.all(all.map(answerOf));
    const admitted = answers.filter((answer) => answer.startsWith('HTTP/1.1 101 '));
    expect(admitted).toHaveLength(BOUND);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '))).toHaveLength(3);
    expect(gateway.hub.connectionCount).toBe(BOUND);

    // There is room again.
    expect(await answerOf(await dial())).toContain(' 101 ');
  }, 240_000);
});
