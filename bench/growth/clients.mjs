import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import WebSocket from 'ws';
import { APP } from '../lib/servers.mjs';

const AT_ONCE = 64;
const SUCCEEDED = 'pusher_internal:subscription_succeeded';

/** A client that keeps nothing of what it hears but what it waits for. */
export class Client {
  #waiting = new Map();
  /** Bytes of the last acknowledgement. */
  acknowledgedBytes = 0;

  static async connect({ host, port }) {
    const client = new Client();
    const socket = new WebSocket(`ws://${host}:${port}/app/${APP.key}?protocol=7`, { perMessageDeflate: false });
    client.socket = socket;
    const established = new Promise((resolve) => client.#waiting.set('pusher:connection_established ', resolve));
    socket.on('message', (data) => client.#hear(data));
    await once(socket, 'open');
    const { data } = await established;
    client.socketId = JSON.parse(data).socket_id;
    return client;
  }

  /** Resolves when it is acknowledged. */
  subscribe(channel, member) {
    const channelData = member === undefined ? undefined : JSON.stringify(member);
    const signed = [this.socketId, channel, ...(channelData === undefined ? [] : [channelData])].join(':');
    const auth = /^(private|presence)-/.test(channel) ? { auth: `${APP.key}:${hmac(signed)}` } : {};
    const data = { channel, ...auth, ...(channelData === undefined ? {} : { channel_data: channelData }) };
    const acknowledged = new Promise((resolve) => this.#waiting.set(`${SUCCEEDED} ${channel}`, resolve));
    this.socket.send(JSON.stringify({ event: 'pusher:subscribe', data }));
    return acknowledged;
  }

  /** Resolves to the event's arrival. */
  next(event, channel) {
    return new Promise((resolve) => this.#waiting.set(`${event} ${channel}`, resolve));
  }

  close() {
    this.socket.terminate();
  }

  #hear(data) {
    // Events that nobody waits for are not parsed: with thousands of clients in this process that would be all it does.
    if (this.#waiting.size === 0) return;
    const message = JSON.parse(data);
    const key = `${message.event} ${message.channel ?? ''}`;
    const resolve = this.#waiting.get(key);
    if (resolve === undefined) return;
    if (message.event === SUCCEEDED) this.acknowledgedBytes = data.length;
    this.#waiting.delete(key);
    resolve(message);
  }
}

/** So many, some at a time. @param make of a number from 0 */
export async function many(count, make) {
  const made = new Array(count);
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next++;
      made[index] = await make(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
  return made;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Resolves when the server has taken it. */
export async function publish({ host, port }, channel) {
  const body = JSON.stringify({ name: 'e', channel, data: 'x'.repeat(200) });
  const path = `/apps/${APP.id}/events`;
  const query = [
    `auth_key=${APP.key}`,
    `auth_timestamp=${Math.floor(Date.now() / 1_000)}`,
    'auth_version=1.0',
    `body_md5=${createHash('md5').update(body).digest('hex')}`,
  ].join('&');
  const url = `${path}?${query}&auth_signature=${hmac(`POST\n${path}\n${query}`)}`;
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const sent = request({ host, port, path: url, method: 'POST', headers, agent });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`a publish was answered ${response.statusCode} ${answer}`);
}

function hmac(message) {
  return createHmac('sha256', APP.secret).update(message).digest('hex');
}
