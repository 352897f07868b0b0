/** The library has no types of its own. */
declare module 'cluster-key-slot' {
  /** The slot of a Redis Cluster, 0 to 16,383, that a key belongs to; of its hash tag, where it has one. */
  export default function calculateSlot(key: string | Buffer): number;
}
