// Who did what, when and why, as every commit carries it.

import type { KeyedRequest } from '#registry/store/keyed-request.ts';

/** Who did what, and why. Kept with the change itself. */
export type ChangeRecord = {
  /** The request it comes from: the commit settles that it was done, and fails if its key is another's. */
  readonly request?: KeyedRequest;
  readonly actor: string;
  /** What was asked for, e.g. `put servers/tracker`. */
  readonly action: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
};
