/** One sentence that says what is wrong and what to do. */
export class LaravelInstallError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LaravelInstallError';
  }
}
