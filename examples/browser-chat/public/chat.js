// What the page does with Laravel Echo: who is in the room, who is typing, messages, the state of the connection.
// pusher-js and Echo are their browser builds here, loaded by index.html: `Pusher` and `Echo` are global.
import { view } from './view.js';

/** While somebody writes, the others are told no more often than this. */
const WHISPER_EVERY_MS = 1500;
/** Somebody of whom nothing more is heard has stopped typing. */
const TYPING_LASTS_MS = 4000;

/** What a state of pusher-js means to a person. From the last two it does not come back by itself. */
const STATES = {
  initialized: ['connecting', 'Connecting…'],
  connecting: ['connecting', 'Connecting…'],
  connected: ['connected', 'Connected'],
  unavailable: ['connecting', 'Reconnecting…'],
  disconnected: ['disconnected', 'Disconnected'],
  failed: ['disconnected', 'Disconnected'],
};

/** Id → { id, name }. */
const members = new Map();
/** Id → timer. */
const typing = new Map();

let echo;
let channel;
let me;
let hasBeenConnected = false;
let whisperedAt = -Infinity;
/** What the server has said last before the connection ended. */
let reason;

async function request(method, path, body, headers = {}) {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const response = await fetch(path, { method, headers: { ...type, ...headers }, ...content });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

function enter(user, { key, wsHost, wsPort, hasTls }) {
  me = user;
  view.showRoom();
  echo = new window.Echo.default({
    broadcaster: 'reverb',
    key,
    wsHost,
    wsPort,
    wssPort: wsPort,
    forceTLS: hasTls,
    // One port speaks one of them; with both, pusher-js would try the other as well whenever it cannot connect.
    enabledTransports: [hasTls ? 'wss' : 'ws'],
  });
  echo.connector.pusher.connection.bind('state_change', ({ current }) => showState(current));
  echo.connector.pusher.connection.bind('error', ({ error, data = error?.data }) => {
    reason = data?.message;
  });
  channel = echo
    .join('lobby')
    .here(showMembers)
    .joining(showJoining)
    .leaving(showLeaving)
    .listen('MessageSent', showMessage)
    // Who whispers is the server's word, in the metadata: what a whisper says itself, anybody can have made up.
    .listenForWhisper('typing', (_data, metadata) => showTyping(metadata?.user_id))
    .error(({ error }) => view.showNotice(`The lobby is closed to you: ${error}`, { canReload: true }));
}

function showState(current) {
  const [state, text] = STATES[current];
  hasBeenConnected ||= state === 'connected';
  view.showConnection(state, state === 'connecting' && hasBeenConnected ? 'Reconnecting…' : text);
  if (state === 'connecting' && hasBeenConnected) view.showNotice('The connection is lost. Trying again…');
  if (state === 'disconnected') view.showNotice(reason ?? 'The connection is closed.', { canReload: true });
  if (state === 'connected') {
    reason = undefined;
    view.hideNotice();
    return;
  }
  view.doubtMembers();
  for (const id of typing.keys()) stopTyping(id);
}

/** At first, and again after every interruption. */
function showMembers(users) {
  members.clear();
  for (const user of users) members.set(user.id, user);
  view.showMembers([...members.values()], me);
}

function showJoining(user) {
  members.set(user.id, user);
  view.showMembers([...members.values()], me);
  view.addRemark(`${user.name} has joined`);
}

function showLeaving({ id, name }) {
  stopTyping(id);
  members.delete(id);
  view.showMembers([...members.values()], me);
  view.addRemark(`${name} has left`);
}

function showMessage(message) {
  stopTyping(message.user.id);
  view.addMessage(message, { isOwn: message.user.id === me.id });
}

function showTyping(id) {
  if (!members.has(id) || id === me.id) return;
  clearTimeout(typing.get(id));
  typing.set(
    id,
    setTimeout(() => stopTyping(id), TYPING_LASTS_MS),
  );
  view.showTyping([...typing.keys()].map((each) => members.get(each).name));
}

function stopTyping(id) {
  clearTimeout(typing.get(id));
  typing.delete(id);
  view.showTyping([...typing.keys()].map((each) => members.get(each).name));
}

view.onJoin(async (name) => {
  try {
    const { user } = await request('POST', '/session', { name });
    const { gateway } = await request('GET', '/session');
    enter(user, gateway);
  } catch (error) {
    view.showJoinProblem(error.message);
  }
});

view.onType(() => {
  if (performance.now() - whisperedAt < WHISPER_EVERY_MS || echo.connectionStatus() !== 'connected') return;
  whisperedAt = performance.now();
  channel.whisper('typing', {});
});

// Laravel's toOthers(): the server is told which socket is this page's, which does not get the message a second time.
view.onSend(async (text) => {
  whisperedAt = -Infinity;
  try {
    showMessage(await request('POST', '/messages', { text }, { 'X-Socket-ID': echo.socketId() }));
    view.hideNotice();
  } catch (error) {
    view.restoreDraft(text);
    view.showNotice(`Your message was not sent. ${error.message}`);
  }
});

view.onLeave(async () => {
  echo.disconnect();
  await request('DELETE', '/session');
  location.reload();
});

const { user, gateway } = await request('GET', '/session');
if (user === null) view.showWelcome();
else enter(user, gateway);
