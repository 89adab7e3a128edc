// What a kind of credential has to be able to do, and what a verified one amounts to. A new kind is a file that
// exports one of these and a line in the table of authenticate.ts.

import type { Deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { IssuerBinding, McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Confirmation } from '#ext-authz/identity/confirmation.ts';

/** Where the credential was presented, and when (seconds since the epoch). */
export type Presentation = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly nowSeconds: number;
  /** Ends waits for others at the deadline of the call. */
  readonly signal: AbortSignal;
  /** The request it came with; `url` is absolute and the gateway's own, without a query. */
  readonly target: { readonly method: string; readonly url: string };
  /** PEM; absent: the connection has none. */
  readonly clientCertificate?: string;
};

/** An identity whose groups may still have to be asked for: undefined is not "none". */
export type VerifiedIdentity = Omit<Identity, 'groups'> & {
  readonly groups: readonly string[] | undefined;
};

/** What it was believed for: keys, as long as they are the issuer's, or the issuer's own word, as long as that is fresh. */
export type Basis =
  /** `until`: when the key's own time is over, seconds since the epoch. */
  | { readonly kind: 'keys'; readonly revision: string; readonly until: number }
  /** Seconds since the epoch; from then on the issuer is asked again. */
  | { readonly kind: 'answer'; readonly until: number };

export type VerifiedCredential = {
  readonly identity: VerifiedIdentity;
  /** Seconds since the epoch; the other times are the identity's. */
  readonly notBefore: number;
  /** By whose rules it was verified: a cached result holds only while these are unchanged. */
  readonly issuer: TrustedIssuer;
  readonly binding: IssuerBinding;
  readonly basis: Basis;
  /** What the caller has to prove with each call beside having it; absent: nothing. */
  readonly confirmation?: Confirmation;
};

export type CredentialVerifier = {
  /** True if the text has the form of this kind. Decides who judges it, never that it is good. */
  recognises(credential: string): boolean;
  verify(credential: Secret, at: Presentation): Promise<Result<VerifiedCredential, Deny>>;
};
