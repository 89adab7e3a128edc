// Refresh tokens as clients hold them: the provider's own, sealed to the one client and server it came for. In the clear it
// would be good for everything the façade's registration at the provider is good for, in anybody's hand.

import type { Fronted } from '#oauth-facade/fronted.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import type { ProviderTokens } from '#oauth-facade/provider/token-answer.ts';
import { FAMILY_SECONDS } from '#oauth-facade/token/refresh-line.ts';

/** Tokens that come of one sign-in. */
export type TokenFamily = {
  /** Of the code they came of. */
  readonly id: string;
  /** `clientDigest`. */
  readonly client: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  /** The client may have refresh tokens. */
  readonly refreshes: boolean;
  /** When somebody signed in. */
  readonly sinceSeconds: number;
};

export type Granted = {
  readonly tokens: ProviderTokens;
  readonly family: TokenFamily;
  /** Of the handle the client gets. */
  readonly handleId: string;
};

/** What is sealed. */
type RefreshHandle = {
  readonly id: string;
  readonly family: TokenFamily;
  readonly refreshToken: string;
};

/** The handle for what was granted; undefined where the client has no use for one or the provider gave none. */
export const sealHandle = (
  parts: FacadeParts,
  fronted: Fronted,
  { tokens, family, handleId }: Granted,
): string | undefined => {
  if (!family.refreshes || tokens.refreshToken === undefined) return undefined;
  const handle: RefreshHandle = { id: handleId, family, refreshToken: tokens.refreshToken.reveal() };
  return parts.sealer.seal('refresh', fronted.ref, handle);
};

/** The handle, if it is one of this façade's and its sign-in is not too long ago. */
export const openHandle = (parts: FacadeParts, fronted: Fronted, text: string): RefreshHandle | undefined => {
  const handle = parts.sealer.open<RefreshHandle>('refresh', fronted.ref, text);
  const isLive = handle !== undefined && handle.family.sinceSeconds + FAMILY_SECONDS > nowSecondsOf(parts);
  return isLive ? handle : undefined;
};
