import type { Broker } from './broker/broker.js';
import { ClientEvents } from './client-events.js';
import { Connections } from './connections.js';
import { Delivery } from './delivery.js';
import type { ChannelDirectory } from './directory/channel-directory.js';
import type { ConnectionDirectory } from './directory/connection-directory.js';
import type { UserDirectory } from './directory/user-directory.js';
import { Draining } from './draining.js';
import { FanOut } from './fan-out/fan-out.js';
import { HubCounters } from './hub-counters.js';
import type { HubEvents } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import { Membership } from './membership.js';
import { Publisher } from './publisher.js';
import { Registry } from './registry.js';
import { Rosters } from './rosters.js';
import { SignedInUsers } from './signed-in-users.js';
import { SubscriptionCounts } from './subscription-counts.js';
import { Sweeper } from './sweeper.js';
import { TopicRegistry } from './topic-registry.js';
import { Watchlists } from './watchlists.js';

const SHORTEST_TICK_MS = 10;
const LONGEST_TICK_MS = 100;

/** What the parts of a hub stand on. */
export interface HubPorts {
  readonly broker: Broker;
  readonly directory: ChannelDirectory;
  readonly connectionDirectory: ConnectionDirectory;
  readonly userDirectory: UserDirectory;
}

/** How a hub is put together: who knows whom. */
export class HubParts {
  readonly counts = new HubCounters();
  readonly registry: Registry;
  readonly sweeper: Sweeper;
  readonly topics: TopicRegistry;
  readonly delivery: Delivery;
  readonly rosters: Rosters;
  readonly membership: Membership;
  readonly users: SignedInUsers;
  readonly watchlists: Watchlists;
  readonly connections: Connections;
  readonly publisher: Publisher;
  readonly clientEvents: ClientEvents;
  readonly draining: Draining;

  constructor(options: HubOptions, ports: HubPorts, events: HubEvents) {
    const { broker, directory, connectionDirectory, userDirectory } = ports;
    const { counts } = this;
    const fanOut = new FanOut(options, counts, events);
    const registry = (this.registry = new Registry((topic) => fanOut.shardOf(topic)));
    const tickMs = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, options.pingPeriodMs / 10));
    const sweeper = (this.sweeper = new Sweeper(tickMs));
    const released = (topic: string) => {
      registry.removeChannel(topic);
      watchlists.forget(topic);
    };
    const now = () => sweeper.now();
    const topics = (this.topics = new TopicRegistry(broker, released, options.topicLingerMs));
    const users = (this.users = new SignedInUsers(userDirectory, events));
    const watchlists = (this.watchlists = new Watchlists(userDirectory, topics, users, now));
    const numbers = new SubscriptionCounts(registry, directory, fanOut, events);
    this.delivery = new Delivery(registry, fanOut, counts, events, numbers, watchlists);
    const rosters = (this.rosters = new Rosters(registry, directory, this.delivery, [numbers, watchlists]));
    const membership = (this.membership = new Membership(registry, topics, directory, rosters, events, options, now));
    this.connections = new Connections(
      options,
      counts,
      registry,
      membership,
      users,
      watchlists,
      connectionDirectory,
      events,
      sweeper,
    );
    this.publisher = new Publisher(broker, directory, registry, fanOut, events, options);
    this.clientEvents = new ClientEvents(broker, events, options);
    this.draining = new Draining(registry, { membership, users, connections: this.connections });
    sweeper.add((time) => topics.sweep(time));
    sweeper.add((time) => membership.sweep(time));
  }
}
