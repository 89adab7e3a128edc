// A request for authorization that was judged: what the consent page shows, what is sent to the provider, and what the code
// is bound to in the end. Sealed as it is; of the client's id only a digest travels, because the id may be long.

import { createHash } from 'node:crypto';

export type Authorization = {
  /** `clientDigest` of its id. */
  readonly client: string;
  readonly redirectUri: string;
  /** The client's own, given back as it is. */
  readonly state?: string;
  /** `code_challenge`, method S256. */
  readonly challenge: string;
  readonly resource: string;
  /** Sorted. */
  readonly scopes: readonly string[];
  /** It may have refresh tokens. */
  readonly refreshes: boolean;
  /** Parameters that are the provider's to judge: a hint who signs in, how surely. */
  readonly passed: Readonly<Record<string, string>>;
};

export const clientDigest = (clientId: string): string =>
  createHash('sha256').update(clientId).digest('base64url');
