import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BrowserChat, EXAMPLE, Visitor } from '../support/browser-chat.js';
import { CHROMIUM_TIMEOUT_MS, launchChromium } from '../support/chromium.js';

/** Two pages on a machine whose cores are busy with other tests. */
const TEST_TIMEOUT_MS = 180_000;
const WINDOW = { width: 800, height: 640 };
const PICTURE = { width: 1696, height: 704 };
const FRAME = `
  body { display: flex; gap: 32px; margin: 32px; background: linear-gradient(120deg, #c9c9f2, #8f8fd8); }
  img { width: ${WINDOW.width}px; border-radius: 14px; box-shadow: 0 12px 32px rgb(0 0 0 / 25%); }
`;
const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

let browser: Browser;
let chat: BrowserChat;
const visitors: Visitor[] = [];

beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
}, CHROMIUM_TIMEOUT_MS);
beforeEach(async () => {
  chat = await BrowserChat.start();
  return async () => {
    await Promise.all(visitors.splice(0).map((visitor) => visitor.leave()));
    await chat.stop();
  };
});

async function enter(name: string, options?: BrowserContextOptions): Promise<Visitor> {
  const visitor = await Visitor.open(browser, chat.url, options);
  visitors.push(visitor);
  await visitor.join(name);
  return visitor;
}

/** Two people who see each other. */
async function adaAndGrace(): Promise<[ada: Visitor, grace: Visitor]> {
  const ada = await enter('Ada');
  const grace = await enter('Grace');
  await ada.sees('Grace');
  return [ada, grace];
}

describe(
  'examples/browser-chat, with the browser builds of pusher-js and laravel-echo',
  { timeout: TEST_TIMEOUT_MS },
  () => {
    it('shows both who is in the room, and that somebody has gone', async () => {
      const [ada, grace] = await adaAndGrace();
      // Oneself first.
      expect(await ada.members.allTextContents()).toEqual(['Ada', 'Grace']);
      expect(await grace.members.allTextContents()).toEqual(['Grace', 'Ada']);
      expect(await ada.connection.textContent()).toBe('Connected');
      await grace.leave();
      await ada.misses('Grace');
      await ada.reads('Grace has left');
      expect(await ada.members.allTextContents()).toEqual(['Ada']);
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    });

    it('shows a message once, to the others and to its sender', async () => {
      const [ada, grace] = await adaAndGrace();
      await ada.say('Hello, Grace');
      await grace.hears('Hello, Grace');
      // A channel has one order: a second copy of the first would stand before the answer on either page.
      await grace.say('Hello, Ada');
      await ada.hears('Hello, Ada');
      for (const { messages } of [ada, grace]) {
        expect(await messages.allTextContents()).toEqual(['Hello, Grace', 'Hello, Ada']);
      }
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    });

    it('shows the other who is typing, until the message comes or nothing more does', async () => {
      const [ada, grace] = await adaAndGrace();
      const typing = grace.page.getByText('Ada is typing…');
      // One key is one whisper: no other is on its way when the message comes.
      await ada.type('H');
      await typing.waitFor();
      expect(await ada.page.locator('#typing').textContent()).toBe('');
      await ada.pressEnter();
      await grace.hears('H');
      expect(await grace.page.locator('#typing').textContent()).toBe('');
      await ada.type('W');
      await typing.waitFor();
      await typing.waitFor({ state: 'detached' });
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    });

    it('shows what people write as text, whatever it is', async () => {
      const mallory = await enter('<img src=x onerror=alert(1)>');
      const grace = await enter('Grace');
      await mallory.say('<b onclick="alert(1)">bold</b>');
      await grace.hears('<b onclick="alert(1)">bold</b>');
      expect(await grace.members.allTextContents()).toEqual(['Grace', '<img src=x onerror=alert(1)>']);
      expect(await grace.page.locator('#members img, #messages img, #messages b').count()).toBe(0);
      expect([...mallory.errors, ...grace.errors]).toEqual([]);
    });

    it('says when the connection is lost, and goes on by itself when there is one again', async () => {
      const [ada, grace] = await adaAndGrace();
      // Whoever dials now waits, without an error.
      chat.network.freeze();
      chat.network.cut();
      for (const { page, connection } of [ada, grace]) {
        await page.getByText('The connection is lost. Trying again…').waitFor();
        expect(await connection.textContent()).toBe('Reconnecting…');
        expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
      }
      chat.network.thaw();
      await Promise.all([ada.knowsMembers(), grace.knowsMembers()]);
      await Promise.all([ada.sees('Grace'), grace.sees('Ada')]);
      for (const { connection } of [ada, grace]) expect(await connection.textContent()).toBe('Connected');
      await ada.say('Are you back?');
      await grace.hears('Are you back?');
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    });

    it('says so to somebody whom the application has thrown out, and lets them in again', async () => {
      const [ada, grace] = await adaAndGrace();
      const { body } = await chat.gateway.http.get('/channels/presence-lobby/users');
      const { users } = body as { users: { id: string }[] };
      for (const { id } of users) await chat.gateway.http.post(`/users/${id}/terminate_connections`, '{}');
      for (const visitor of [ada, grace]) {
        await visitor.reads('You got disconnected by the app.');
        expect(await visitor.connection.textContent()).toBe('Disconnected');
      }
      await ada.page.getByRole('button', { name: 'Try again' }).click();
      await ada.connection.filter({ hasText: 'Connected' }).waitFor();
      await ada.sees('Ada');
      expect(await ada.members.allTextContents()).toEqual(['Ada']);
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    });
  },
);

describe('the screenshot', { timeout: TEST_TIMEOUT_MS }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pogo-screenshot-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('shows both pages, in light and in dark (POGO_SCREENSHOT=1 writes the one of the example)', async () => {
    const ada = await enter('Ada Lovelace', { viewport: WINDOW, colorScheme: 'light', deviceScaleFactor: 2 });
    const grace = await enter('Grace Hopper', { viewport: WINDOW, colorScheme: 'dark', deviceScaleFactor: 2 });
    await converse(ada, grace);
    await ada.type('Numbers first, the');
    await grace.reads('Ada Lovelace is typing…');
    await grace.type('With what');
    await ada.reads('Grace Hopper is typing…');
    const path = join(process.env['POGO_SCREENSHOT'] === '1' ? EXAMPLE : folder, 'screenshot.png');
    await takeBoth(path, [ada, grace], PICTURE);
    const png = await readFile(path);
    expect(png.subarray(0, 8)).toEqual(PNG_SIGNATURE);
    // Width and height stand in the first chunk.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([PICTURE.width, PICTURE.height]);
    expect([...ada.errors, ...grace.errors]).toEqual([]);
  });
});

async function converse(ada: Visitor, grace: Visitor): Promise<void> {
  const lines = [
    [ada, grace, 'Good morning! Has the engine arrived?'],
    [grace, ada, 'It has. There was a moth in relay 70 of panel F.'],
    [grace, ada, 'I have taped it into the logbook.'],
    [ada, grace, 'Then it can compute at last. Shall we begin with the Bernoulli numbers?'],
  ] as const;
  for (const [speaker, listener, text] of lines) {
    await speaker.say(text);
    await listener.hears(text);
  }
}

/** Both windows beside each other, in one picture of that size. */
async function takeBoth(path: string, visitors: Visitor[], size: { width: number; height: number }): Promise<void> {
  const pictures = await Promise.all(visitors.map(({ page }) => page.screenshot()));
  const windows = pictures.map((png) => `<img src="data:image/png;base64,${png.toString('base64')}">`);
  const context = await browser.newContext({ viewport: size });
  const page = await context.newPage();
  await page.setContent(`<style>${FRAME}</style>${windows.join('')}`);
  await page.screenshot({ path });
  await context.close();
}
