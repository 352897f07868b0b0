import { signChannel, signUser } from '@pogo/pusher-protocol';
import { WebSocket } from 'ws';
import type { GatewayProcess } from '../support/gateway-process.js';
import { APP } from '../support/gateway.js';
import { isPresence, needsAuth, USERS } from './channels.js';
import { ChannelView } from './channel-view.js';

const PREFIX = 'pusher_internal:';
/** What was said last, for the report. */
const TRANSCRIPT_LINES = 400;

/** What a client tells the world about. */
export interface ClientListener {
  /** `isCached`: as the last event of a cache channel, with the acknowledgement. */
  event(client: SimulatedClient, channel: string, number: number, isCached: boolean): void;
  changed(client: SimulatedClient, channel: string, type: 'member_added' | 'member_removed', user: string): void;
  closed(client: SimulatedClient, code: number, reason: string): void;
  violation(client: SimulatedClient, text: string): void;
}

interface Message {
  readonly event: string;
  readonly channel?: string;
  readonly data?: unknown;
}

interface WatchlistEvent {
  readonly name: 'online' | 'offline';
  readonly user_ids: readonly string[];
}

/** One browser tab of a user: it remembers what it was told, and complains of what it must not be told. */
export class SimulatedClient {
  socketId: string | undefined;
  closedAt: number | undefined;
  /** By a decision. */
  isLeaving = false;
  isSignedIn = false;
  /** Users that are online, as it was told; it follows all when it has signed in. */
  online: Set<string> | undefined;
  readonly views = new Map<string, ChannelView>();
  readonly transcript: string[] = [];
  private readonly socket: WebSocket;
  /** Until the server has greeted. */
  private queue: (() => void)[] | undefined = [];
  private hasAskedToSignIn = false;
  private failure = '';

  /** @param clock for the transcript. */
  constructor(
    readonly id: number,
    readonly user: string,
    readonly node: GatewayProcess,
    private readonly listener: ClientListener,
    private readonly clock: () => string,
  ) {
    this.socket = new WebSocket(node.url(), { perMessageDeflate: false });
    this.socket.on('message', (data) => this.receive(String(data)));
    this.socket.on('error', (error) => (this.failure = error.message));
    this.socket.on('close', (code, reason) => {
      this.closedAt = performance.now();
      this.write(`closed ${code} ${reason.toString()}`);
      this.listener.closed(this, code, reason.toString() || this.failure);
    });
  }

  /** Greeted, and neither side has closed. */
  get isConnected(): boolean {
    return this.socketId !== undefined && !this.isOver;
  }

  get isOver(): boolean {
    return this.isLeaving || this.closedAt !== undefined;
  }

  /** It has asked for something that is not answered yet. */
  get isWaiting(): boolean {
    return this.queue !== undefined || this.hasAskedToSignIn !== this.isSignedIn || this.unanswered.length > 0;
  }

  get unanswered(): ChannelView[] {
    return [...this.views.values()].filter(({ isAnswered }) => !isAnswered);
  }

  wants(channel: string): boolean {
    return this.views.get(channel)?.isWanted === true;
  }

  subscribe(channel: string): void {
    this.whenConnected(() => {
      this.view(channel).ask(performance.now());
      const channelData = isPresence(channel) ? JSON.stringify({ user_id: this.user }) : undefined;
      const auth = needsAuth(channel) ? signChannel(APP, this.socketId ?? '', channel, channelData) : '';
      const member = channelData === undefined ? {} : { channel_data: channelData };
      this.send({ event: 'pusher:subscribe', data: { auth, channel, ...member } });
    });
  }

  unsubscribe(channel: string): void {
    this.whenConnected(() => {
      this.view(channel).leave();
      this.send({ event: 'pusher:unsubscribe', data: { channel } });
    });
  }

  signIn(): void {
    this.whenConnected(() => {
      this.hasAskedToSignIn = true;
      const text = JSON.stringify({ id: this.user, watchlist: USERS });
      const auth = signUser(APP, this.socketId ?? '', text);
      this.send({ event: 'pusher:signin', data: { auth, user_data: text } });
    });
  }

  /** False: nobody would hear it, because it is not in the channel, as far as it has been told. */
  sendEvent(channel: string, number: number): boolean {
    if (!this.isConnected || this.views.get(channel)?.steadySince === undefined) return false;
    this.send({ event: 'client-e', channel, data: { number } });
    return true;
  }

  close(): void {
    this.isLeaving = true;
    this.write('closes');
    this.socket.close();
  }

  terminate(): void {
    this.isLeaving = true;
    this.write('terminates');
    this.socket.terminate();
  }

  private view(channel: string): ChannelView {
    let view = this.views.get(channel);
    if (view === undefined) {
      view = new ChannelView(channel, (text) => this.listener.violation(this, text));
      this.views.set(channel, view);
    }
    return view;
  }

  private whenConnected(action: () => void): void {
    if (this.isOver) return;
    if (this.queue !== undefined) this.queue.push(action);
    else action();
  }

  private send(message: object): void {
    const text = JSON.stringify(message);
    this.write(`> ${text}`);
    this.socket.send(text, () => undefined);
  }

  private receive(text: string): void {
    // What arrives after a decision to leave is nobody's business.
    if (this.isLeaving) return;
    this.write(`< ${text}`);
    const { event, channel = '', data } = JSON.parse(text) as Message;
    const view = this.views.get(channel);
    if (channel !== '' && view === undefined) {
      this.listener.violation(this, `${event} of ${channel}, which it has never asked for`);
      return;
    }
    if (event === 'pusher:connection_established') this.greeted(parse(data)['socket_id'] as string);
    else if (event === 'pusher:signin_success') this.isSignedIn = true;
    else if (event === 'pusher:cache_miss') view?.cacheMissed();
    else if (event === `${PREFIX}subscription_count`) view?.counted(parse(data)['subscription_count'] as number);
    else if (event === `${PREFIX}watchlist_events`) this.watched(parse(data)['events'] as WatchlistEvent[]);
    else if (event === `${PREFIX}subscription_succeeded`) this.acknowledged(view, parse(data));
    else if (event === `${PREFIX}member_added`) this.changed(view, 'member_added', parse(data));
    else if (event === `${PREFIX}member_removed`) this.changed(view, 'member_removed', parse(data));
    else if (event === 'e' || event === 'client-e') this.received(view, parse(data)['number'] as number);
    else if (event !== 'pusher:ping' && !this.isGoodbye(event, data)) this.listener.violation(this, `received ${text}`);
  }

  private greeted(socketId: string): void {
    this.socketId = socketId;
    const queue = this.queue ?? [];
    this.queue = undefined;
    for (const action of queue) action();
  }

  /** The error before a close; whether that was right is judged by the close. */
  private isGoodbye(event: string, data: unknown): boolean {
    const { code, message } = parse(data);
    return event === 'pusher:error' && code === 4200 && message !== 'Invalid message format';
  }

  private acknowledged(view: ChannelView | undefined, data: Record<string, unknown>): void {
    const presence = data['presence'] as { count: number; ids: string[] } | undefined;
    view?.acknowledged(presence?.ids, performance.now());
    if (presence !== undefined && !presence.ids.includes(this.user)) {
      this.listener.violation(this, `${view?.channel ?? ''}: it is not in its own list, ${presence.ids.join()}`);
    }
  }

  private watched(events: readonly WatchlistEvent[]): void {
    this.online ??= new Set();
    for (const { name, user_ids: users } of events) {
      for (const user of users) {
        if (name === 'online') this.online.add(user);
        else this.online.delete(user);
      }
    }
  }

  private changed(view: ChannelView | undefined, type: 'member_added' | 'member_removed', data: object): void {
    const { user_id: user } = data as { user_id: string };
    if (view === undefined) return;
    if (type === 'member_added') view.memberAdded(user);
    else view.memberRemoved(user);
    this.listener.changed(this, view.channel, type, user);
  }

  private received(view: ChannelView | undefined, number: number): void {
    if (view === undefined) return;
    const isCached = view.received(number);
    this.listener.event(this, view.channel, number, isCached);
  }

  private write(line: string): void {
    this.transcript.push(`${this.clock()} ${line}`);
    if (this.transcript.length > TRANSCRIPT_LINES * 2) this.transcript.splice(0, TRANSCRIPT_LINES);
  }
}

/** `data` is a JSON string in the server's own events, and what the sender sent in client events. */
function parse(data: unknown): Record<string, unknown> {
  return (typeof data === 'string' ? JSON.parse(data) : (data ?? {})) as Record<string, unknown>;
}
