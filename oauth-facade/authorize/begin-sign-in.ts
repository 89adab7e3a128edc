// Sends a person who has consented on to the provider, with all that will be needed when he comes back sealed in `state`.

import type { Authorization } from '#oauth-facade/authorize/authorization.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import { type SignIn, signInUrl } from '#oauth-facade/provider/sign-in.ts';

/** For a password, a second factor and a page that explains it. */
export const SIGN_IN_SECONDS = 15 * 60;

/** The provider's address. */
export const beginSignIn = (
  parts: FacadeParts,
  fronted: Fronted,
  { authorization, browser }: { readonly authorization: Authorization; readonly browser: string },
): string => {
  const signIn: SignIn = {
    authorization,
    browser,
    id: parts.newId(),
    verifier: parts.newId(),
    nonce: parts.newId(),
    untilSeconds: nowSecondsOf(parts) + SIGN_IN_SECONDS,
  };
  return signInUrl(fronted, signIn, parts.sealer.seal('state', fronted.ref, signIn));
};
