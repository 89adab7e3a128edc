// How a server's replicas are reached and spared: what its admin may set, each part with a default that suits most.
// Whether it makes sense together is for registry/commands/rules/upstream-rules.ts; what Envoy makes of it for
// xds-server/translate.

/**
 * How a replica is chosen. `least-latency` goes by weights that the control plane measures; `ring-hash` and `maglev`
 * send one key to one replica for as long as it is there. When a replica comes, Maglev moves hardly more keys than its
 * share; a ring some more, and spreads less evenly.
 */
export const LOAD_BALANCING_POLICIES = [
  'least-request',
  'least-latency',
  'round-robin',
  'ring-hash',
  'maglev',
] as const;
export type LoadBalancingPolicy = (typeof LOAD_BALANCING_POLICIES)[number];

/** What consistent hashing goes by: a header of the client's, the caller, or the caller's MCP session. */
export type HashKey = 'principal' | 'session' | { readonly header: string };

export type LoadBalancing = {
  readonly policy: LoadBalancingPolicy;
  /** Given exactly with the policies that hash. */
  readonly hashOn?: HashKey;
};

export type UpstreamSettings = {
  /** Default: `least-request`. A call of a sealed session goes to the session's own replica under every policy. */
  readonly loadBalancing?: LoadBalancing;
};

/** True for the policies that need a key. */
export const isHashing = (policy: LoadBalancingPolicy): boolean =>
  policy === 'ring-hash' || policy === 'maglev';
