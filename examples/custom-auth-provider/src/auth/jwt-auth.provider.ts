import { Injectable, Logger } from '@nestjs/common';
import {
  AuthProvider,
  type App,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type Denial,
  type HandshakeNeeds,
  type UserAuthDecision,
  type UserAuthRequest,
} from 'pogo-gateway/hub';
import { parseUserData } from 'pogo-gateway/protocol';
import { UsersService, type User } from '../users/users.service.js';
import { tokenOf } from './bearer-token.js';
import { TokenRefused, TokenVerifier } from './token-verifier.js';

const NOT_MINE = { decision: 'not_mine' } as const;
const LOG_PAUSE_MS = 60_000;

/** Lets in who shows a JSON Web Token, and leaves clients with a signature to the next provider of the chain. */
@Injectable()
export class JwtAuthProvider extends AuthProvider {
  private readonly logger = new Logger(JwtAuthProvider.name);
  private silentUntil = 0;

  constructor(
    private readonly tokens: TokenVerifier,
    private readonly users: UsersService,
  ) {
    super();
  }

  /** Kept for as long as a client is connected; everything else of its handshake is forgotten. */
  override handshakeNeeds(): HandshakeNeeds {
    return { headers: ['authorization', 'cookie'], query: ['token'] };
  }

  async authorizeChannel({ app, auth, handshake, channel }: ChannelAuthRequest): Promise<ChannelAuthDecision> {
    const token = tokenOf(auth, handshake);
    if (token === undefined) return NOT_MINE;
    const user = await this.userOf(token, app);
    if ('decision' in user) return user;
    if (!this.users.mayEnter(user, channel.name)) return { decision: 'deny', reason: 'No role opens this room' };
    if (channel.kind !== 'presence') return { decision: 'allow' };
    return { decision: 'allow', member: { userId: user.id, userInfoJson: infoOf(user) } };
  }

  async authenticateUser({ app, auth, userData, handshake }: UserAuthRequest): Promise<UserAuthDecision> {
    const token = tokenOf(auth === '' ? undefined : auth, handshake);
    if (token === undefined) return NOT_MINE;
    const user = await this.userOf(token, app);
    if ('decision' in user) return user;
    // pusher-js goes by the user_data that it has sent, so it must not name somebody else.
    if (parseUserData(userData)?.id !== user.id) return { decision: 'deny', reason: 'user_data has another id' };
    return { decision: 'allow', user: { id: user.id, userInfoJson: infoOf(user), watchlist: [] } };
  }

  /** The user, or why there is none. */
  private async userOf(token: string, app: App): Promise<User | Denial> {
    try {
      const user = await this.users.find(await this.tokens.verify(token, app.id));
      return user ?? { decision: 'deny', reason: 'Nobody has this token’s `sub`' };
    } catch (error) {
      if (error instanceof TokenRefused) return { decision: 'deny', reason: error.message };
      // Nobody can say whether it is right: the client is told 503 and may ask again.
      this.log(error);
      return { decision: 'deny', reason: 'Tokens cannot be verified at the moment', failure: 'dispatch_error' };
    }
  }

  /** Once a minute: clients decide how often this happens, and must not fill the disk. */
  private log(error: unknown): void {
    if (performance.now() < this.silentUntil) return;
    this.silentUntil = performance.now() + LOG_PAUSE_MS;
    this.logger.warn(`tokens cannot be verified: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the other members of a presence channel see. */
function infoOf({ name, roles }: User): string {
  return JSON.stringify({ name, roles });
}
