// What an exchange is to be: everything that shapes its token, so that a key made of a plan forgets nothing. Which plan a
// call needs is decided in plan.ts.

import type { ClientCredential } from '#core/client-credential.ts';
import type { ResourceParameter, TokenRequests } from '#core/issuer.ts';

export type ExchangeKind = 'obo' | 'token-exchange' | 'client-credentials';

export type ExchangePlan = {
  readonly kind: ExchangeKind;
  readonly application: { readonly clientId: string; readonly credential: ClientCredential };
  /** Concrete: `{tenantid}` is already replaced. */
  readonly tokenEndpoint: string;
  /** Directory tenant the token is asked from, a GUID; absent where there are none. */
  readonly directory?: string;
  /** Scopes of the one downstream resource. */
  readonly scopes: readonly string[];
  /** The resource itself, and the parameters that name it. Absent: the scopes do. */
  readonly resource?: { readonly name: string; readonly sentAs: readonly ResourceParameter[] };
  readonly requestedTokenType?: NonNullable<TokenRequests['requestedTokenType']>;
  /** The application's own token goes along as the actor's. */
  readonly actor?: 'application';
  /** `aud` of the application's assertions; absent: the token endpoint. */
  readonly assertionAudience?: string;
  /** What `aud` of the token must be where it can be read; absent: not looked at. */
  readonly expectedAudience?: string;
};

/** A secret of the server's own, the same for every caller. Nobody is asked for it. */
export type StaticPlan = {
  readonly kind: 'static';
  readonly secretName: string;
  /** Absent: `Authorization: Bearer`. */
  readonly header?: string;
};

/** True where the token speaks for a caller: it is never used past the caller's own. */
export const isDelegated = ({ kind }: Pick<ExchangePlan, 'kind'>): boolean => kind !== 'client-credentials';
