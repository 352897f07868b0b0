/**
 * A port could not reach what it stands for. Every operation of the directory is idempotent, so the caller asks again
 * in either case; the difference matters to what must not be done twice, such as a publish.
 */
export class UnavailableError extends Error {
  /**
   * @param outcome `not_done`: certainly without effect. `maybe_done`: the request left and no answer came (a time-out,
   *   a connection lost after writing).
   */
  constructor(
    message: string,
    readonly outcome: 'not_done' | 'maybe_done',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'UnavailableError';
  }
}
