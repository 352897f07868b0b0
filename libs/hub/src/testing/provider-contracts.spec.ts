import { Logger } from '@nestjs/common';
import { afterEach, describe, it } from 'vitest';
import { signChannel, signUser } from '@pogo/pusher-protocol';
import { completeApp, type App } from '../app/app.js';
import { AppProvider } from '../app/app-provider.js';
import { CachingAppProvider } from '../app/caching-app-provider.js';
import { ConfigAppProvider } from '../app/config-app-provider.js';
import { AuthProvider, type ChannelAuthDecision, type UserAuthDecision } from '../auth/auth-provider.js';
import { AuthProviderChain } from '../auth/auth-provider-chain.js';
import { SignatureAuthProvider } from '../auth/signature-auth-provider.js';
import {
  appProviderContract,
  authProviderContract,
  Chaos,
  type AppProviderHarness,
  type AuthProviderHarness,
} from './index.js';

// Failures are wanted here.
Logger.overrideLogger(false);

const api = { describe, it, afterEach };
const close = () => Promise.resolve();
const known = completeApp({ id: '1', key: 'key', secret: 'secret' });

/** The ways in which the apps of a list change. */
function changing(source: { replace(apps: readonly App[]): void }): Omit<AppProviderHarness, 'provider' | 'close'> {
  return {
    known,
    add: (app) => source.replace([known, completeApp(app)]),
    changeKey: (key) => source.replace([{ ...known, key }]),
    disable: () => source.replace([{ ...known, enabled: false }]),
    remove: () => source.replace([]),
  };
}

appProviderContract(api, 'configuration', () => {
  const provider = new ConfigAppProvider([known]);
  return { ...changing(provider), provider, tellsChanges: true, close };
});

/** A database behind a bad network. */
class DistantAppProvider extends AppProvider {
  override readonly cacheTtlMs: number = 0;
  private apps: readonly App[] = [known];

  constructor(protected readonly chaos: Chaos) {
    super();
  }

  findById(id: string): Promise<App | undefined> {
    return this.chaos.disturb(() => Promise.resolve(this.apps.find((app) => app.id === id)));
  }

  findByKey(key: string): Promise<App | undefined> {
    return this.chaos.disturb(() => Promise.resolve(this.apps.find((app) => app.key === key)));
  }

  replace(apps: readonly App[]): void {
    this.apps = apps;
  }
}

/** What PostgreSQL does with NOTIFY: somebody learns that a row has changed, and not what has become of it. */
class NotifyingAppProvider extends AppProvider {
  override readonly cacheTtlMs = 60_000;
  private readonly distant: DistantAppProvider;

  constructor(chaos: Chaos) {
    super();
    this.distant = new DistantAppProvider(chaos);
  }

  private listener: Parameters<AppProvider['onChange']>[0] = () => undefined;

  findById(id: string): Promise<App | undefined> {
    return this.distant.findById(id);
  }

  findByKey(key: string): Promise<App | undefined> {
    return this.distant.findByKey(key);
  }

  override onChange(listener: Parameters<AppProvider['onChange']>[0]): void {
    this.listener = listener;
  }

  replace(apps: readonly App[]): void {
    this.distant.replace(apps);
    const app = apps.find(({ id }) => id === known.id);
    this.listener({ appId: known.id, change: app === undefined ? 'removed' : app.enabled ? 'updated' : 'disabled' });
  }
}

for (const seed of [1, 2]) {
  appProviderContract(api, `a distant one that is always asked, behind what stands failures (seed ${seed})`, () => {
    const source = new DistantAppProvider(new Chaos({ seed }));
    const provider = new CachingAppProvider(source, { ttlMs: 0, timeoutMs: 5_000 });
    return { ...changing(source), provider, tellsChanges: true, close };
  });

  appProviderContract(api, `a distant one whose answers are kept for moments (seed ${seed})`, () => {
    const source = new DistantAppProvider(new Chaos({ seed }));
    const provider = new CachingAppProvider(source, { ttlMs: 5, timeoutMs: 5_000 });
    return { ...changing(source), provider, tellsChanges: true, close };
  });

  appProviderContract(api, `a distant one that tells of its changes (seed ${seed})`, () => {
    const source = new NotifyingAppProvider(new Chaos({ seed }));
    const provider = new CachingAppProvider(source, { ttlMs: source.cacheTtlMs, timeoutMs: 5_000 });
    return { ...changing(source), provider, tellsChanges: true, close };
  });
}

function signing(provider: AuthProvider): AuthProviderHarness {
  return {
    provider,
    allow: (request, member) => {
      const channelData =
        member && `{"user_id":${JSON.stringify(member.userId)},"user_info":${member.userInfoJson ?? 'null'}}`;
      const { app, socketId, channel } = request;
      const auth = signChannel(app, socketId, channel.name, channelData);
      return channelData === undefined ? { ...request, auth } : { ...request, auth, channelData };
    },
    allowUser: (request) => ({ ...request, auth: signUser(request.app, request.socketId, request.userData) }),
    close,
  };
}

authProviderContract(api, 'signatures', () => signing(new SignatureAuthProvider()));

/** Has nothing to say, and takes its time. */
class Stranger extends AuthProvider {
  authorizeChannel(): Promise<ChannelAuthDecision> {
    return Promise.resolve({ decision: 'not_mine' });
  }

  authenticateUser(): Promise<UserAuthDecision> {
    return Promise.resolve({ decision: 'not_mine' });
  }

  override handshakeNeeds(): { headers: string[]; query: string[] } {
    return { headers: ['authorization', 'cookie'], query: ['token'] };
  }
}

authProviderContract(api, 'a chain that ends with signatures', () =>
  signing(new AuthProviderChain([new Stranger(), new SignatureAuthProvider()])),
);
authProviderContract(api, 'a chain that begins with signatures', () =>
  signing(new AuthProviderChain([new SignatureAuthProvider(), new Stranger()])),
);
