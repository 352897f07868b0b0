import type { Subscription } from './subscription.js';

/**
 * The subscriptions of one connection by channel name, in whatever state. Most clients have one channel: a Map, which
 * is 200 bytes when it is empty, is made for the second.
 */
export class Subscriptions {
  private only: Subscription | undefined = undefined;
  private byName: Map<string, Subscription> | undefined = undefined;

  get size(): number {
    return this.byName?.size ?? (this.only === undefined ? 0 : 1);
  }

  get(name: string): Subscription | undefined {
    if (this.byName !== undefined) return this.byName.get(name);
    return this.only !== undefined && nameOf(this.only) === name ? this.only : undefined;
  }

  /** May change while it is iterated. */
  values(): Iterable<Subscription> {
    return this.byName?.values() ?? (this.only === undefined ? [] : [this.only]);
  }

  add(subscription: Subscription): void {
    if (this.byName !== undefined) {
      this.byName.set(nameOf(subscription), subscription);
    } else if (this.only === undefined) {
      this.only = subscription;
    } else {
      this.byName = new Map([this.only, subscription].map((each) => [nameOf(each), each]));
      this.only = undefined;
    }
  }

  delete(name: string): void {
    if (this.byName !== undefined) this.byName.delete(name);
    else if (this.get(name) !== undefined) this.only = undefined;
  }

  clear(): void {
    this.only = undefined;
    // Emptied as well, for whoever is in the middle of it.
    this.byName?.clear();
    this.byName = undefined;
  }
}

function nameOf({ channel }: Subscription): string {
  return channel.name.name;
}
