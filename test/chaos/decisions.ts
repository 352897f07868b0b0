/** One event as it is published; every number is used once. */
export interface Item {
  readonly number: number;
  readonly channels: readonly string[];
  /** The client that must not get it. */
  readonly except?: number;
}

export type Fault =
  | { readonly kind: 'killNode' | 'startNode' | 'freezeNode' | 'thawNode'; readonly node: number }
  | { readonly kind: 'cutLink' | 'refuseLink' | 'acceptLink' | 'holdLink' | 'releaseLink'; readonly node: number }
  | { readonly kind: 'dropAnswers' | 'passAnswers'; readonly node: number }
  | { readonly kind: 'killRedis' | 'startRedis' | 'freezeRedis' | 'thawRedis' | 'cutRedis'; readonly server: number };

export type Operation =
  | { readonly kind: 'connect'; readonly client: number; readonly node: number; readonly user: string }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly client: number; readonly channel: string }
  | { readonly kind: 'signIn' | 'close' | 'terminate'; readonly client: number }
  | { readonly kind: 'clientEvent'; readonly client: number; readonly channel: string; readonly number: number }
  | { readonly kind: 'publish'; readonly node: number; readonly publisher: number; readonly items: readonly Item[] };

export type Decision = Operation | Fault;

export interface TimedDecision {
  /** Milliseconds since the round began. */
  readonly at: number;
  readonly decision: Decision;
}

/** As one line of the journal. */
export function describeDecision(decision: Decision): string {
  const { kind, ...rest } = decision;
  return `${kind} ${JSON.stringify(rest)}`;
}
