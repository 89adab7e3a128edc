// A token issuer a tenant accepts, and how the claims of its tokens are read.

import type { ClientApplication } from '#core/client-credential.ts';
import type { IssuerSignals } from '#core/issuer-signals.ts';
import type { SignInFacade } from '#core/sign-in-facade.ts';
import type { SignatureAlgorithm } from '#core/signature-algorithm.ts';

export type IssuerKind = 'entra' | 'oidc';

/**
 * Where in a token the identity is read from: a claim's name, the dotted path `realm_access.roles`, or a JSON Pointer
 * (`/realm_access/roles`, `/https:~1~1acme.example~1roles`), which can be read in one way only.
 */
export type ClaimNames = {
  readonly groups: string;
  readonly roles: string;
  /** A space-separated string (`scp`, `scope`) or an array. */
  readonly scopes: string;
  readonly name: string;
};

/**
 * The application that asks Microsoft Graph for the groups of a caller whose token leaves them out.
 */
export type GroupLookup = ClientApplication & {
  /** Origin of Graph, without a slash; absent: that of the public cloud. */
  readonly graphUrl?: string;
};

/** How tokens are judged that only their issuer can read: it is asked about each (RFC 7662). */
export type Introspection = {
  readonly endpoint: string;
  /** The gateway as the issuer knows it. The secret stays in a file of ext-authz: only its name is stored. */
  readonly clientId: string;
  readonly secretName: string;
  /** Longest time an answer is believed, so also how long a revoked token goes on; 0: the issuer is asked with every call. */
  readonly maxAgeSeconds: number;
};

/** Parameters by which a token request can name a resource: RFC 8707, and RFC 8693 §2.1. */
export const RESOURCE_PARAMETERS = ['resource', 'audience'] as const;
export type ResourceParameter = (typeof RESOURCE_PARAMETERS)[number];

/** What differs between providers in how they are asked for tokens. Of kind `oidc` only. */
export type TokenRequests = {
  /** Empty: scopes alone say what a token is for. */
  readonly nameResourceBy: readonly ResourceParameter[];
  /** `requested_token_type` of RFC 8693, without its URN; absent: not said. */
  readonly requestedTokenType?: 'access_token' | 'jwt';
  /** `aud` of assertions by which the gateway's applications authenticate. */
  readonly assertionAudience: 'issuer' | 'token-endpoint';
};

/** How an issuer is asked that says nothing of it. */
export const USUAL_TOKEN_REQUESTS: TokenRequests = {
  nameResourceBy: ['resource'],
  assertionAudience: 'issuer',
};

/** Machines the issuer vouches for by client certificates, without a token. */
export type MachineCertificates = {
  /** PEM of the authorities that sign them, themselves and not by others in between. */
  readonly authorities: string;
  /** Names of certificates (core/san-pattern.ts) that are taken, and are then the callers' names. */
  readonly names: readonly string[];
};

export type TrustedIssuer = {
  readonly id: string;
  readonly kind: IssuerKind;
  /**
   * Compared to the token's `iss` exactly. For kind `entra` it may hold `{tenantid}`, which stands for the
   * token's own `tid` once that is found in `directoryTenants`.
   */
  readonly issuer: string;
  /** Where its keys are. Absent: where the document at `discoveryUri` says; one of the two is there, never both. */
  readonly jwksUri?: string;
  /** Its OpenID Connect discovery document, whose `issuer` must be `issuer` to the letter. */
  readonly discoveryUri?: string;
  /** Where tokens for servers are asked for; may hold `{tenantid}`. Absent: this issuer exchanges nothing. */
  readonly tokenEndpoint?: string;
  /** Absent: `USUAL_TOKEN_REQUESTS`. */
  readonly tokenRequests?: TokenRequests;
  /** Absent: a caller whose token names too many groups is refused. */
  readonly groupLookup?: GroupLookup;
  /** Absent: opaque tokens of this issuer are refused. */
  readonly introspection?: Introspection;
  /** Absent: a certificate without a token says nothing. */
  readonly machineCertificates?: MachineCertificates;
  /** Absent: clients sign in at the provider itself. */
  readonly facade?: SignInFacade;
  /** Absent: nobody tells of tokens that are to end before their time, but operators. */
  readonly signals?: IssuerSignals;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** `partner`: its callers are guests, and only grants that name this issuer reach them. */
  readonly relation: 'home' | 'partner';
  /** Entra directory tenants (`tid`) accepted from it. Required for kind `entra`, empty otherwise. */
  readonly directoryTenants: readonly string[];
  readonly claims: ClaimNames;
  /** Expected `typ` of the JWS header (`at+jwt` for RFC 9068); absent: not checked. */
  readonly tokenType?: string;
  readonly clockToleranceSeconds: number;
  readonly enabled: boolean;
};

/** Stands for the directory of a token in Entra's `issuer`. */
export const DIRECTORY_PLACEHOLDER = '{tenantid}';

/** The `iss` values this issuer accepts, the placeholder filled with each directory. */
export const acceptedIssuers = (issuer: TrustedIssuer): readonly string[] =>
  issuer.issuer.includes(DIRECTORY_PLACEHOLDER)
    ? issuer.directoryTenants.map((directory) => issuer.issuer.replaceAll(DIRECTORY_PLACEHOLDER, directory))
    : [issuer.issuer];

/**
 * Where the discovery document of an issuer is by OpenID Connect Discovery 1.0 §4. Entra publishes the templated issuer
 * itself under the directory `organizations`.
 */
export const discoveryUriOf = (issuer: string): string => {
  const base = issuer.replaceAll(DIRECTORY_PLACEHOLDER, 'organizations').replace(/\/$/, '');
  return `${base}/.well-known/openid-configuration`;
};
