// The documents a verifier reads first: OpenID Connect discovery of a directory, and key sets.

import type { DemoDirectory } from '#demo/directory.ts';
import type { SigningKeys } from '#demo/mini-entra/signing-keys.ts';

/** Addresses below one origin, as Entra lays them out. */
export const addressesOf = (origin: string, tid: string) => ({
  issuer: `${origin}/${tid}/v2.0`,
  authorizationEndpoint: `${origin}/${tid}/oauth2/v2.0/authorize`,
  tokenEndpoint: `${origin}/${tid}/oauth2/v2.0/token`,
  jwksUri: `${origin}/${tid}/discovery/v2.0/keys`,
});

/** OpenID Connect discovery §3. As at Entra nothing is said of PKCE, which works, nor of registration, which there is none. */
export const discoveryDocument = (origin: string, tid: string): object => {
  const { issuer, authorizationEndpoint, tokenEndpoint, jwksUri } = addressesOf(origin, tid);
  return {
    issuer,
    authorization_endpoint: authorizationEndpoint,
    token_endpoint: tokenEndpoint,
    jwks_uri: jwksUri,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    grant_types_supported: [
      'password',
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    response_types_supported: ['code'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
};

/** A JWK set whose keys say which issuer they sign for: Entra's own member, beside RFC 7517's. */
export const keySet = (
  origin: string,
  directories: readonly DemoDirectory[],
  keys: SigningKeys,
): { readonly keys: readonly object[] } => ({
  keys: directories.flatMap(({ tid }) =>
    keys.published(tid).map((key) => ({ ...key, issuer: addressesOf(origin, tid).issuer })),
  ),
});
