/**
 * Who carries a command out, and that nobody does so twice: nonces that were seen, shared by the nodes that share the
 * store. One question. Contract suite: `commandNoncesContract`.
 */
export abstract class CommandNonces {
  /**
   * True for the first who asks, false for everybody else within `ttlMs`, at least.
   * @param nonce of a command whose shape was checked.
   * @throws UnavailableError when the store cannot be reached, or has no room: then nobody may carry the command out.
   */
  abstract claim(nonce: string, ttlMs: number): Promise<boolean>;
}
