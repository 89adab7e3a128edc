// A resource's version is the digest of its bytes: the same content has the same version in every process and after
// every restart, so an Envoy that reconnects is sent only what really changed.

import { createHash } from 'node:crypto';

/** Enough that two contents never meet by chance; an adversary gains nothing from a collision with their own. */
const DIGITS = 20;

export const versionOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex').slice(0, DIGITS);
