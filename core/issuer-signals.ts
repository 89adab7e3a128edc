// How the gateway hears of what ends tokens before their time, as an issuer has it: from a transmitter of Shared Signals,
// and from Microsoft Graph.

import type { SignatureAlgorithm } from '#core/signature-algorithm.ts';

/** A transmitter that pushes Security Event Tokens (RFC 8417, RFC 8935) about the issuer's people. */
export type SharedSignals = {
  /** `iss` of its tokens, to the letter: often, but not always, the issuer's own. */
  readonly transmitter: string;
  readonly jwksUri: string;
  /** Values of `aud` that mean this receiver. Absent: the address at which it takes the events. */
  readonly audiences?: readonly string[];
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Name of a file of the registry with the bearer token the transmitter must send; absent: its signature is enough. */
  readonly authorizationSecretName?: string;
  /** The channel counts as stale when it was silent for so long; absent: silence says nothing. */
  readonly maxQuietSeconds?: number;
};

/** The application that watches an Entra directory through Graph. Its secret is in a file of ext-authz. */
export type GraphSignals = {
  readonly clientId: string;
  readonly secretName: string;
  /** Origin of Graph, without a slash; absent: that of the public cloud. */
  readonly graphUrl?: string;
  /** How often it is asked who changed. */
  readonly pollSeconds: number;
  /** Callers of the issuer are refused while nothing was learnt for so long; absent: they are not. */
  readonly maxStaleSeconds?: number;
  /** Graph tells of changes by itself, too; the receiver must be reachable from the internet. */
  readonly notifications: boolean;
};

export type IssuerSignals = {
  readonly sharedSignals?: SharedSignals;
  readonly graph?: GraphSignals;
};
