import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { ROOT } from './checkout.js';
import { APP, TestGateway } from './gateway.js';
import { mortal } from './redis.js';
import { Running } from './process.js';
import { TcpProxy } from './tcp-proxy.js';

/** The folder of the example. */
export const EXAMPLE = join(ROOT, 'examples/browser-chat');
/** What a page may take to show something, on a machine whose cores are busy with other tests. */
const PATIENCE_MS = 30_000;

/** A real gateway behind a network that can fail, and the server of examples/browser-chat as a process. */
export class BrowserChat {
  private constructor(
    readonly gateway: TestGateway,
    readonly network: TcpProxy,
    readonly url: string,
    private readonly server: Running,
  ) {}

  static async start(): Promise<BrowserChat> {
    const gateway = await TestGateway.start();
    const network = await TcpProxy.start(gateway.port);
    const env = {
      REVERB_APP_ID: APP.id,
      REVERB_APP_KEY: APP.key,
      REVERB_APP_SECRET: APP.secret,
      REVERB_HOST: '127.0.0.1',
      REVERB_PORT: String(network.port),
      REVERB_SCHEME: 'http',
      HOST: '127.0.0.1',
      PORT: '0',
    };
    const server = new Running(...mortal(process.execPath, ['server.mjs']), { cwd: EXAMPLE, env });
    const [, url = ''] = await server.printed(/Chat on (http:\S+)\//);
    return new BrowserChat(gateway, network, url, server);
  }

  /** What its server has printed. */
  get output(): string {
    return this.server.output;
  }

  async stop(): Promise<void> {
    this.server.kill('SIGTERM');
    await this.server.ending;
    await this.gateway.stop();
    await this.network.stop();
  }
}

/** Somebody in a browser of their own: cookies and storage are nobody else's. */
export class Visitor {
  /** What went wrong in the page, and what its console shows as an error. */
  readonly errors: string[] = [];
  readonly members: Locator;
  readonly messages: Locator;
  readonly connection: Locator;

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {
    this.members = page.locator('#members .name');
    this.messages = page.locator('#messages .text');
    this.connection = page.locator('#connection');
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    const visitor = new Visitor(await context.newPage(), context);
    await visitor.page.goto(url);
    return visitor;
  }

  /** Resolves when the page shows who is there. */
  async join(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Join the lobby' }).click();
    await this.sees(name);
  }

  /** Resolves when somebody of that name is in the list. */
  async sees(name: string): Promise<void> {
    await this.members.filter({ hasText: name }).waitFor();
  }

  /** Resolves when the list is the server's word, and not what was left of it when the connection was lost. */
  async knowsMembers(): Promise<void> {
    await this.page.locator('#members[aria-busy="false"]').waitFor();
  }

  async misses(name: string): Promise<void> {
    await this.members.filter({ hasText: name }).waitFor({ state: 'detached' });
  }

  /** Key by key, as a person does. */
  async type(text: string): Promise<void> {
    await this.page.getByLabel('Message to the lobby').pressSequentially(text);
  }

  /** Resolves when the message stands on the sender's own page. */
  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message to the lobby').fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
    await this.hears(text);
  }

  /** Sends what has been typed. */
  async pressEnter(): Promise<void> {
    await this.page.getByLabel('Message to the lobby').press('Enter');
  }

  async hears(text: string): Promise<void> {
    await this.messages.filter({ hasText: text }).first().waitFor();
  }

  /** Resolves when the page shows that text anywhere. */
  async reads(text: string): Promise<void> {
    await this.page.getByText(text).waitFor();
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
