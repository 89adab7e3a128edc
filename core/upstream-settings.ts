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

/** Where the replicas of one host stand, and how many calls they are to get. */
export type Placement = {
  /** `host` or `host:port` as in `allowedHosts`. */
  readonly host: string;
  /** Share of calls against others of the same priority, 1 to 100 for each address of the host; default 1. */
  readonly weight?: number;
  /** Envoys of the same zone keep their calls in it while a replica there is healthy. Default: in no zone. */
  readonly zone?: string;
  /** 0 to 7; default 0. A higher number gets calls only as healthy replicas of the lower ones run short. */
  readonly priority?: number;
};

/** Each Envoy asks each replica by itself. `http`: GET a path. `ping`: a JSON-RPC ping to the MCP endpoint. */
export type HealthCheck = {
  readonly kind: 'http' | 'ping';
  /** Of kind `http`; default `/`. */
  readonly path?: string;
  /** Milliseconds from one check to the next; default 10,000. */
  readonly intervalMs?: number;
  /** Milliseconds until a check counts as failed; default 2,000. */
  readonly timeoutMs?: number;
  /** Failed checks in a row until a replica gets no more calls; default 3. */
  readonly unhealthyThreshold?: number;
  /** Checks in a row it must pass to get calls again; default 2. */
  readonly healthyThreshold?: number;
};

/** When a replica that fails calls is left out for a while. */
export type OutlierDetection = {
  /** Answers of 500 and more in a row; default 10. 0: never for that, for servers whose tools answer so by design. */
  readonly consecutive5xx?: number;
  /** Answers of 502, 503, 504 in a row, and, counted by themselves, connections that fail; default 5. 0: never for that. */
  readonly consecutiveFailures?: number;
  /** Milliseconds out of service, times how often it happened lately; default 30,000. */
  readonly ejectionMs?: number;
  /** Largest share of replicas out at once, percent; default 50: the last one is never left out. */
  readonly maxEjectionPercent?: number;
};

/** What one Envoy has open to one version at a time; what is beyond it is refused at once, with 503. */
export type CircuitBreakers = {
  /** HTTP/1.1 connections; default 4,096. */
  readonly maxConnections?: number;
  /** Calls that wait for a connection; default 1,024. */
  readonly maxPendingRequests?: number;
  /** Calls and open streams; default 4,096. */
  readonly maxRequests?: number;
};

export const UPSTREAM_PROTOCOLS = ['auto', 'http1', 'http2'] as const;

export type Connections = {
  /** Milliseconds an unused connection is kept; default 4,000, below the 5 s after which Node closes it by itself. */
  readonly idleMs?: number;
  /** Calls until a connection is replaced; default: no limit. 1 makes a connection for each call. */
  readonly maxRequestsPerConnection?: number;
  /**
   * Default `auto`: what TLS negotiates, HTTP/1.1 without TLS. `http2` without TLS is prior knowledge (RFC 9113 §3.3).
   */
  readonly protocol?: (typeof UPSTREAM_PROTOCOLS)[number];
};

export type UpstreamTls = {
  /**
   * Names of the server's certificate, of which it must hold one: DNS names, addresses, URIs. Default: the host of the
   * endpoint.
   */
  readonly subjectAltNames?: readonly string[];
  /** Secret with the authorities to believe. Default: those of the installation. */
  readonly caSecret?: string;
  /** Secret with the certificate to show, and its key. Default: none. */
  readonly clientCertificateSecret?: string;
};

export type UpstreamSettings = {
  /** Default: `least-request`. A call of a sealed session goes to the session's own replica under every policy. */
  readonly loadBalancing?: LoadBalancing;
  /** Default: all replicas alike. */
  readonly placement?: readonly Placement[];
  /** Default: none. */
  readonly health?: HealthCheck;
  readonly outlierDetection?: OutlierDetection;
  readonly circuitBreakers?: CircuitBreakers;
  readonly connections?: Connections;
  /** Of endpoints with https; one without is refused where any of it is set. */
  readonly tls?: UpstreamTls;
};

/** True for the policies that need a key. */
export const isHashing = (policy: LoadBalancingPolicy): boolean =>
  policy === 'ring-hash' || policy === 'maglev';
