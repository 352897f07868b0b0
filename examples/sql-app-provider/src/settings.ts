const MIN_TOKEN_LENGTH = 32;

export interface Settings {
  /** The file of the database; it is made when there is none. */
  readonly databasePath: string;
  /** How long an app that was found may be used again, ms. 0 = each look-up asks the database. */
  readonly appsTtlMs: number;
  /** Lets whoever has it change apps. */
  readonly adminToken: string;
}

/**
 * `DATABASE_PATH`, `APPS_TTL_MS` (10,000) and `ADMIN_TOKEN`.
 * @throws Error that names what is wrong, but never quotes the token.
 */
export function settingsOf(environment: NodeJS.ProcessEnv): Settings {
  const { DATABASE_PATH: databasePath = 'apps.db', APPS_TTL_MS: ttl = '10000', ADMIN_TOKEN: adminToken } = environment;
  if (!/^\d{1,9}$/.test(ttl)) throw new Error('APPS_TTL_MS must be a number of milliseconds');
  if (adminToken === undefined || adminToken.length < MIN_TOKEN_LENGTH) {
    throw new Error(
      `ADMIN_TOKEN must have ${MIN_TOKEN_LENGTH} characters or more, for example of openssl rand -hex 32`,
    );
  }
  return { databasePath, appsTtlMs: Number(ttl), adminToken };
}
