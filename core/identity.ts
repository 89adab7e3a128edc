// Who is calling, read from a verified credential. Nothing in here was believed before its signature was.

/**
 * What an AI agent with an identity of its own is in a call: it acts `alone`, `for-person` who signed in, or as the person
 * of its `own-account`.
 */
export type AgentRole = 'alone' | 'for-person' | 'own-account';

export type Identity = {
  /** Stable key of the caller inside a tenant: see `principalKey`. */
  readonly principal: string;
  readonly kind: 'user' | 'app';
  readonly issuerId: string;
  readonly issuer: string;
  /** The `aud` value that matched the server's binding; finds the application that may exchange the token. */
  readonly audience: string;
  readonly relation: 'home' | 'partner';
  readonly subject: string;
  /** Entra directory tenant and object id. */
  readonly tid?: string;
  readonly oid?: string;
  /** For logs and screens only. Never authorised on: names and mail addresses are reassigned. */
  readonly name?: string;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** Client id of the application that obtained the token (`azp`, `appid`, `client_id`). */
  readonly app?: string;
  readonly actor?: string;
  /** The issuer says that an AI agent is behind it; absent: it says nothing. */
  readonly agent?: AgentRole;
  readonly guest: boolean;
  /** Authentication context (`acrs`, `amr`, `acr`). */
  readonly assurance: readonly string[];
  /** The client said it can answer claims challenges (`xms_cc` holds `cp1`). */
  readonly claimsChallenges: boolean;
  readonly tokenId?: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
};

/** Issuer plus directory tenant and object id, or issuer plus subject. `sub` alone is pairwise per application in Entra. */
export const principalKey = (parts: {
  issuer: string;
  subject: string;
  tid?: string | undefined;
  oid?: string | undefined;
}): string =>
  parts.tid !== undefined && parts.oid !== undefined
    ? JSON.stringify([parts.issuer, parts.tid, parts.oid])
    : JSON.stringify([parts.issuer, parts.subject]);
