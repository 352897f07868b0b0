import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

const COOKIE = 'chat_session';
const MAX_NAME_LENGTH = 40;

/** Who somebody is, in a signed cookie: nobody can become somebody else, and the server has nothing to remember. */
export class Sessions {
  #key;

  /** @param secret the app's. The key is derived, because what signs a cookie must not sign a subscription. */
  constructor(secret) {
    this.#key = createHmac('sha256', secret).update('browser-chat session').digest();
  }

  /** Undefined unless the name is a text that can be shown. */
  create(name) {
    const shown = typeof name === 'string' ? name.replace(/\s+/g, ' ').trim() : '';
    if (shown === '' || shown.length > MAX_NAME_LENGTH || /\p{C}/u.test(shown)) return undefined;
    return { id: randomUUID(), name: shown };
  }

  /** As `Set-Cookie` takes it. SameSite: no other site's page can send messages as its visitor. */
  cookie(user) {
    const content = Buffer.from(JSON.stringify(user)).toString('base64url');
    return `${COOKIE}=${content}.${this.#sign(content)}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** The user of a `Cookie` header, or undefined. */
  find(header = '') {
    const [, content, signature] = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)\\.([\\w-]+)(?:;|$)`).exec(header) ?? [];
    if (content === undefined || !isSame(signature, this.#sign(content))) return undefined;
    return JSON.parse(Buffer.from(content, 'base64url').toString());
  }

  #sign(content) {
    return createHmac('sha256', this.#key).update(content).digest('base64url');
  }
}

export const NO_COOKIE = `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;

function isSame(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
