// What the operator decides about the gateway's Envoys; the tenants' part comes in the snapshot. Constant for the
// life of the process, because all of it ends up in the listener, and a changed listener cuts every open stream.

export type GatewaySettings = {
  /** Address the listener binds. */
  readonly listenAddress: string;
  readonly port: number;
  /** TLS at the listener; each Envoy has a certificate of its own for it. */
  readonly listenerTls: boolean;
  /** It asks clients for certificates, and lets in those who have none; absent: it does not ask. */
  readonly listenerClientCertificates?: boolean;
  /** Longest silence on a stream before it is ended; there is no longest time. */
  readonly streamIdleSeconds: number;
  /** Proxies in front of us whose `x-forwarded-for` entries are believed. */
  readonly trustedHops: number;
  /** One JSON line per request on Envoy's stdout. */
  readonly accessLogOnStdout: boolean;
  /** PEM bundle on Envoy's machine that https upstreams are verified against. */
  readonly upstreamCaFile: string;
};
