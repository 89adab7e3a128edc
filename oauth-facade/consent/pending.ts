// A consent page that was shown: what it asked, in which browser, and until when its answer counts.

import type { Authorization } from '#oauth-facade/authorize/authorization.ts';

/** For somebody who reads it. */
export const CONSENT_SECONDS = 10 * 60;

export type PendingConsent = {
  readonly authorization: Authorization;
  /** `browserDigest` of the browser it was shown in. */
  readonly browser: string;
  readonly untilSeconds: number;
};
