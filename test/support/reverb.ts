import type { Client } from './client.js';
import type { TestGateway } from './gateway.js';
import { HttpApi } from './http-api.js';

/** Settings of an app that speaks `reverb`. */
export const reverbApp = (id: string) => ({
  id,
  key: `key-${id}`,
  secret: `secret-${id}`,
  dialect: 'reverb' as const,
});

interface App {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

/** A client and the texts that it receives, as they are on the wire. */
export class Wire {
  readonly texts: string[] = [];

  private constructor(readonly client: Client) {
    client.socket.on('message', (data) => this.texts.push(String(data)));
  }

  static async connect(gateway: TestGateway, app: App): Promise<Wire> {
    const wire = new Wire(gateway.dial(gateway.url(app.key), { app }));
    await wire.client.established();
    return wire;
  }

  /** Everything that was received up to now, without the greeting. */
  async answers(): Promise<string[]> {
    await this.client.settle();
    return this.texts.slice(1).filter((text) => text !== '{"event":"pusher:pong"}');
  }
}

export function httpOf(gateway: TestGateway, app: App): HttpApi {
  return new HttpApi(`http://127.0.0.1:${gateway.port}`, app);
}

/** The text of a `pusher:error` in dialect `reverb`. */
export function reverbError(code: number, message: string): string {
  return JSON.stringify({ event: 'pusher:error', data: JSON.stringify({ code, message }) });
}
