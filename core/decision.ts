// The outcome of a call. This file is the only place an Allow can be made: it cannot be written as a literal,
// and `isAllow` knows each one by identity, so a forged or half-filled object opens nothing.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import type { RETRY_SAFE } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import type { JsonRpcId } from '#core/mcp-call.ts';
import type { Reason } from '#core/reason.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { Secret } from '#core/secret.ts';

/** Facts of a refusal the client may know. Everything else about it goes to the log only. */
export type PublicFacts = {
  /** Name of the constraint that refused. */
  readonly constraint?: string;
  /** All scopes the operation needs, for one challenge (MCP authorization: step-up). */
  readonly requiredScopes?: readonly string[];
  /** Scopes the token holds that a wider one must not lose (core/held-scopes.ts). */
  readonly heldScopes?: readonly string[];
  /** The field or header at fault. */
  readonly field?: string;
  /** The keyword of a JSON Schema that the field does not meet. */
  readonly keyword?: string;
  readonly supportedVersions?: readonly string[];
  readonly requestedVersion?: string;
  readonly retryAfterSeconds?: number;
  /** The provider's claims challenge, base64 of its JSON, for clients that said they can answer one. */
  readonly claims?: string;
  /** The question a person was asked about this call; `url` is where he finds it. */
  readonly approval?: { readonly id: string; readonly url?: string; readonly expiresAt?: string };
  /** How the caller may have signed in to be let through, for issuers that are asked by RFC 9470. */
  readonly acrValues?: readonly string[];
  /** Whom to ask for access. */
  readonly contact?: string;
};

export type Deny = {
  readonly kind: 'deny';
  readonly reason: Reason;
  readonly publicFacts: PublicFacts;
  /** For the log: no secret, no token, no argument value. */
  readonly logFacts: JsonObject;
};

declare const ALLOW: unique symbol;

/** What Envoy is told about the way of an allowed call beside its version: values of internal headers (core/internal-headers.ts). */
export type Steering = {
  /** `address:port` of the replica that holds the caller's session. */
  readonly host?: string;
  /** The path by which Envoy finds the place's routes, where that is another than the client's. */
  readonly path?: string;
  /** What consistent hashing goes by. */
  readonly hash?: string;
  /** The call may be tried again even if it may have run. */
  readonly retry?: typeof RETRY_SAFE;
};

export type AllowFacts = {
  readonly identity: Identity;
  /** Version of the server the call was judged by and is routed to. */
  readonly version: string;
  /** Sent upstream in place of the caller's token; null sends none. */
  readonly upstreamToken: Secret | null;
  /** The header it is sent in, as it is; absent: `Authorization: Bearer`. */
  readonly upstreamHeader?: string;
  readonly orders: GuardOrders;
  /** Absent: any replica, tried again only where the call cannot have run. */
  readonly steering?: Steering;
  /** The session the call goes on in. */
  readonly session?: CallSession;
  /** The server's own id of the event that a resumed stream goes on after. */
  readonly resumeAfter?: string;
};

export type Allow = AllowFacts & { readonly kind: 'allow'; readonly [ALLOW]: true };

/** An answer the gateway gives itself: CORS preflight, protected-resource metadata. Nothing goes upstream. */
export type Answer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Decision = Allow | Deny | Answer;

const allowed = new WeakSet<object>();

/** The one constructor of an Allow. */
export const allow = (facts: AllowFacts): Allow => {
  const decision = Object.freeze({ ...facts, kind: 'allow' }) as Allow;
  allowed.add(decision);
  return decision;
};

/** True only for what `allow` returned. */
export const isAllow = (decision: Decision): decision is Allow => allowed.has(decision);

export const deny = (
  reason: Reason,
  facts: { readonly public?: PublicFacts; readonly log?: JsonObject } = {},
): Deny => ({ kind: 'deny', reason, publicFacts: facts.public ?? {}, logFacts: facts.log ?? {} });

/** Id of the JSON-RPC message a refusal answers; null where none could be read. */
export type RefusedId = JsonRpcId | null;
