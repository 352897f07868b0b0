export interface User {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
}

/** Role → the rooms that it opens. A room's channels are `private-{room}`, `presence-{room}` and their variants. */
export type RoomsOfRoles = Readonly<Record<string, readonly string[]>>;

const PREFIXES = /^(?:private|presence)-(?:encrypted-)?(?:cache-)?/;

/** Who there is and what each may enter. In your application a database answers, and the methods are asynchronous. */
export class UsersService {
  private readonly users: ReadonlyMap<string, User>;
  private readonly rooms: ReadonlyMap<string, readonly string[]>;

  constructor(users: readonly User[], rooms: RoomsOfRoles) {
    this.users = new Map(users.map((user) => [user.id, user]));
    this.rooms = new Map(Object.entries(rooms));
  }

  find(id: string): Promise<User | undefined> {
    return Promise.resolve(this.users.get(id));
  }

  mayEnter(user: User, channel: string): boolean {
    const room = channel.replace(PREFIXES, '');
    return user.roles.some((role) => this.rooms.get(role)?.includes(room) ?? false);
  }
}
