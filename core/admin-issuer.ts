// The issuer whose tokens administer one tenant. Never to be confused with the issuers of the tenant's callers.

export type AdminIssuer = {
  /** Compared to the token's `iss` exactly. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** The `aud` its tokens carry. With `issuer` it leads to one tenant. */
  readonly audience: string;
  /** The claim with the roles, an array of texts: `admin`, `operator`, `auditor`, `publisher`. May be a path with dots. */
  readonly rolesClaim: string;
};
