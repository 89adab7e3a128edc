// A code of the façade: the provider's own code, sealed to the one client, address, verifier and server it may be spent for.

import type { Authorization } from '#oauth-facade/authorize/authorization.ts';

/** From one redirect to the request of the client; providers' own codes live hardly longer. */
export const CODE_SECONDS = 60;

export type Code = {
  /** Good once; also the family of the tokens that come of it. */
  readonly id: string;
  readonly untilSeconds: number;
  readonly providerCode: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly authorization: Authorization;
};
