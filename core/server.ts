// An MCP server as the tenant's admin registered it, and the versions its tools are pinned in.

import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import type { ClientApplication } from '#core/client-credential.ts';
import type { DpopMode } from '#core/dpop.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import type { TrafficSplit } from '#core/traffic-split.ts';
import type { UpstreamSettings } from '#core/upstream-settings.ts';

/** A tool as accepted into a version: this text, not what the server says later, is what policy judges. */
export type Tool = {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
  /** OAuth scopes the caller's token must hold before this tool runs. */
  readonly requiredScopes: readonly string[];
  readonly tags: readonly string[];
  /** A second run does no harm; anything else is never retried once it may have run. */
  readonly idempotent: boolean;
};

/**
 * An admin's limit on an argument of a tool. It can only refuse, and its name is what the caller is told.
 * Exactly one of `oneOf`, `maximum`, `maxLength`, `prefix` is given.
 */
export type ArgumentConstraint = {
  readonly name: string;
  readonly tool: string;
  /** JSON Pointer (RFC 6901) into `params.arguments`. */
  readonly pointer: string;
  readonly oneOf?: readonly Json[];
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly prefix?: string;
  /** Callers in any of these groups are not bound by it. */
  readonly exceptGroups: readonly string[];
};

/**
 * How a version is spoken to. `websocket`: JSON-RPC messages on one connection, which is judged when it is opened; nobody
 * sees what is said on it.
 */
export const TRANSPORTS = ['streamable-http', 'websocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export type ServerVersion = {
  readonly version: string;
  /** Absolute URLs of replicas; all share one path. */
  readonly endpoints: readonly string[];
  readonly transport: Transport;
  readonly protocolVersions: readonly string[];
  readonly tools: readonly Tool[];
};

/**
 * How surely a person must have signed in. The values are the issuer's own: authentication contexts of Entra (`c1`), `acr`
 * or `amr` of others. A token with one of them is enough.
 */
export type AssuranceRule = {
  /** In order of preference: the first is what the client is told to ask for. */
  readonly anyOf: readonly string[];
  /** Tools it is for; absent: every call. */
  readonly tools?: readonly string[];
};

/** How tokens of one issuer are accepted for this server. */
export type IssuerBinding = {
  readonly issuerId: string;
  /** Accepted values of `aud`. */
  readonly audiences: readonly string[];
  /** Scopes every delegated token for this server must hold. */
  readonly requiredScopes: readonly string[];
  /** Whether its tokens may or must be bound to a key of the caller (RFC 9449). Absent: bound tokens are refused. */
  readonly dpop?: DpopMode;
  /** Every rule that is for a call must be met. */
  readonly requiredAssurance?: readonly AssuranceRule[];
  /** The confidential client that obtains tokens for callers with one of these audiences, whatever the server's mode. */
  readonly oboApplication?: ClientApplication;
};

/**
 * `obo`: On-Behalf-Of at Entra ID. `token-exchange`: RFC 8693 at any other issuer. `client-credentials`: the application's
 * own token. `static`: one secret for everybody. `none`: no token.
 */
export const TOKEN_MODES = ['obo', 'token-exchange', 'client-credentials', 'static', 'none'] as const;
export type TokenMode = (typeof TOKEN_MODES)[number];

export type UpstreamAuth = {
  readonly mode: TokenMode;
  /** Scopes of the one downstream resource bound to this server, e.g. `api://tracker/.default`. Empty for `static` and `none`. */
  readonly scopes: readonly string[];
  /** What an app-only caller gets where a user is needed: a client-credentials token, or a refusal. */
  readonly appOnly: 'client-credentials' | 'refuse';
  /** That resource by its own name, for issuers of kind `oidc`; at Entra its scopes name it. */
  readonly resource?: string;
  /** What `aud` of a token must be where it can be read. Absent: `resource`, or, without one, anything. */
  readonly tokenAudience?: string;
  /** With `token-exchange`: the application's own token goes along as the actor's (RFC 8693 §2.1). */
  readonly actor?: 'application';
  /** With `static`: the file, and the header it is sent in; absent: `Authorization: Bearer`. */
  readonly secret?: { readonly name: string; readonly header?: string };
};

export type McpServer = {
  readonly id: string;
  readonly displayName: string;
  /** False is the kill switch: calls are refused and live streams ended. */
  readonly enabled: boolean;
  /** Hosts (`host` or `host:port`) an endpoint may name. */
  readonly allowedHosts: readonly string[];
  readonly upstreamAuth: UpstreamAuth;
  readonly bindings: readonly IssuerBinding[];
  readonly constraints: readonly ArgumentConstraint[];
  /** Policy refusals as a JSON-RPC error on HTTP 200, or on 403. SDKs mistake a 403 for an authorization step, hence the default `200`. */
  readonly refusalStatus: 200 | 403;
  /** Longest request body, bytes. */
  readonly maxBodyBytes: number;
  /** How its replicas are reached; absent: as most want it. */
  readonly upstream?: UpstreamSettings;
  /** How far its time limit, retries and back-off may be moved; absent: not at all. */
  readonly adaptive?: AdaptiveSettings;
  /** What is done with its answers, before what the tenant wants; absent: what the tenant wants. */
  readonly responseGuard?: ServerResponseGuard;
  /** The version that gets all calls, unless `traffic` spreads them. */
  readonly activeVersion: string;
  /** Absent: all calls go to `activeVersion`. */
  readonly traffic?: TrafficSplit;
  readonly versions: readonly ServerVersion[];
};

/** The version calls go to, if the server has one of that name. */
export const findVersion = (server: McpServer, version: string): ServerVersion | undefined =>
  server.versions.find((candidate) => candidate.version === version);
