/**
 * How many connections an app has in the cluster. Each node reports its own absolute number, so a lost report is
 * mended by the next one; the sum is approximate while connections come and go.
 */
export abstract class ConnectionDirectory {
  /** Called at every change, so it must cost nothing: an implementation over I/O sends the latest number later. */
  abstract report(appId: string, connections: number): void;
  /** Connections of the app on all nodes. @throws UnavailableError */
  abstract count(appId: string): Promise<number>;
}
