// The page's elements. What people write is text here and never markup.

/** Older messages make room. */
const MAX_ENTRIES = 200;
const FULL_NAMES = 3;

const $ = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const list = new Intl.ListFormat('en');

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

/** A person's colour, always the same. */
function hueOf(id) {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)) % 360;
  return hash;
}

function avatarOf({ id, name }) {
  const initial = [...name][0] ?? '?';
  const avatar = make('span', 'avatar', initial.toUpperCase());
  avatar.style.setProperty('--hue', hueOf(id));
  avatar.ariaHidden = 'true';
  return avatar;
}

/** Who has scrolled up to read stays there. */
let isAtEnd = true;

function followEnd() {
  const messages = $('messages');
  if (isAtEnd) messages.scrollTop = messages.scrollHeight;
}

function addEntry(entry) {
  const messages = $('messages');
  messages.append(entry);
  while (messages.childElementCount > MAX_ENTRIES) messages.firstElementChild.remove();
  followEnd();
}

export const view = {
  showWelcome() {
    $('welcome').hidden = false;
    $('name').focus();
  },

  showJoinProblem(text) {
    $('join-problem').textContent = text;
    $('join-problem').hidden = false;
  },

  showRoom() {
    $('welcome').hidden = true;
    $('room').hidden = false;
    $('text').focus();
  },

  /** @param state connecting, connected or disconnected. */
  showConnection(state, text) {
    $('connection').dataset.state = state;
    $('connection').textContent = text;
    $('send').disabled = state !== 'connected';
  },

  showNotice(text, { canReload = false } = {}) {
    $('notice-text').textContent = text;
    $('reload').hidden = !canReload;
    $('notice').hidden = false;
  },

  hideNotice() {
    $('notice').hidden = true;
  },

  showMembers(members, me) {
    const isMe = ({ id }) => id === me.id;
    const sorted = members.toSorted((a, b) => isMe(b) - isMe(a) || a.name.localeCompare(b.name));
    const items = sorted.map((member) => {
      const name = make('span', 'name', member.name);
      return make('li', 'member', avatarOf(member), name, ...(isMe(member) ? [make('span', 'tag', 'you')] : []));
    });
    $('members').replaceChildren(...items);
    $('count').textContent = String(items.length);
    $('members').ariaBusy = 'false';
  },

  /** Until they are shown again: who has come and gone in the meantime is not known. */
  doubtMembers() {
    $('members').ariaBusy = 'true';
  },

  addRemark(text) {
    addEntry(make('li', 'remark', text));
  },

  addMessage({ user, text, sentAt }, { isOwn }) {
    const time = make('time', '', clock.format(new Date(sentAt)));
    time.dateTime = sentAt;
    const head = make('p', 'head', make('span', 'name', isOwn ? 'You' : user.name), time);
    const bubble = make('div', 'bubble', head, make('p', 'text', text));
    addEntry(make('li', isOwn ? 'message own' : 'message', avatarOf(user), bubble));
  },

  showTyping(names) {
    const shown = names.length > FULL_NAMES ? [`${names.length} people`] : names;
    const verb = names.length === 1 ? 'is' : 'are';
    const dots = make('span', 'dots', make('i', ''), make('i', ''), make('i', ''));
    $('typing').replaceChildren(...(names.length === 0 ? [] : [dots, `${list.format(shown)} ${verb} typing…`]));
  },

  restoreDraft(text) {
    if ($('text').value === '') $('text').value = text;
  },

  onJoin(handle) {
    $('join').addEventListener('submit', (event) => {
      event.preventDefault();
      handle($('name').value);
    });
  },

  onType(handle) {
    $('text').addEventListener('input', () => {
      if ($('text').value !== '') handle();
    });
  },

  onSend(handle) {
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      const text = $('text').value.trim();
      if (text === '' || $('send').disabled) return;
      $('text').value = '';
      handle(text);
    });
  },

  onLeave(handle) {
    $('leave').addEventListener('click', handle);
  },
};

$('reload').addEventListener('click', () => location.reload());
$('messages').addEventListener('scroll', ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
  isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
});
new ResizeObserver(followEnd).observe($('messages'));
