// The outline every grant shares: what it is given and what it yields.

import type { JWK } from 'jose';
import type { Result } from '#core/result.ts';
import type { DemoApplication, DemoDirectory, DemoUser } from '#demo/directory.ts';
import type { Codes } from '#demo/mini-entra/codes.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import type { Form } from '#demo/mini-entra/form.ts';
import type { RefreshTokens, SignedIn } from '#demo/mini-entra/refresh-tokens.ts';
import type { RequestedScopes } from '#demo/mini-entra/scopes.ts';
import type { World } from '#demo/mini-entra/world.ts';

export const GRANT_NAMES = [
  'password',
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'on_behalf_of',
] as const;
export type GrantName = (typeof GRANT_NAMES)[number];

export type GrantRequest = {
  readonly world: World;
  readonly codes: Codes;
  readonly refreshTokens: RefreshTokens;
  readonly directory: DemoDirectory;
  /** Already authenticated. */
  readonly client: DemoApplication;
  readonly form: Form;
  readonly requested: RequestedScopes;
  readonly issuer: string;
  /** Public keys of the directory. */
  readonly keys: readonly JWK[];
  readonly nowSeconds: number;
};

/** Whom the token is about: a user, or (absent) the client itself. */
export type Granted = {
  readonly user?: DemoUser;
  /** The `claims` parameter of the sign-in. */
  readonly claims?: string;
  /** The sign-in it goes back to, of which id and refresh tokens come; absent: there was none. */
  readonly signedIn?: SignedIn;
};

export type Grant = (request: GrantRequest) => Promise<Result<Granted, EntraRefusal>>;

/** True where an admin has consented that the client uses the resource. */
export const hasConsent = (client: DemoApplication, resource: DemoApplication): boolean =>
  client.consentedResources.includes(resource.clientId);
