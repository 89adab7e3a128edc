// What the endpoints of the façade work with: adapters as small functions, time and randomness as arguments.

import type { Snapshot } from '#core/snapshot.ts';
import type { BrowserCookies } from '#oauth-facade/browser.ts';
import type { Documents } from '#oauth-facade/client/documents.ts';
import type { AskProvider } from '#oauth-facade/provider/token-request.ts';
import type { Sealer } from '#oauth-facade/sealer.ts';
import type { RateLimit } from '#runtime/rate-limit.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

export type FacadeParts = {
  readonly snapshot: () => Snapshot;
  /** Origin of the façade. */
  readonly publicUrl: string;
  /** Public URL of the gateway, whose endpoints tokens are for. */
  readonly gatewayUrl: string;
  readonly cookies: BrowserCookies;
  readonly sealer: Sealer;
  readonly documents: Documents;
  readonly askProvider: AskProvider;
  /** Marks of what was used. */
  readonly state: SharedState;
  /** Of strangers' work, by façade: registrations and documents. */
  readonly strangers: RateLimit;
  readonly nowMs: () => number;
  /** 32 random bytes in base64url. */
  readonly newId: () => string;
};

export const nowSecondsOf = ({ nowMs }: Pick<FacadeParts, 'nowMs'>): number => Math.floor(nowMs() / 1000);
