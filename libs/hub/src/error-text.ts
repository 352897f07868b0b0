/** What to log of something that was thrown or rejected: the stack of an error. Never throws, whatever it is given. */
export function errorText(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return 'something that cannot be printed';
  }
}
