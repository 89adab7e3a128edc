// A tool that a server describes in other words than were approved of it. ext-proc sees it in lists, the registry keeps
// it, ext-authz refuses calls by it.

import type { JsonChange } from '#core/json-diff.ts';
import type { Result } from '#core/result.ts';

/** What one replica was seen to serve in the place of a pinned tool. */
export type DriftSighting = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly tool: string;
  /** `address:port`. */
  readonly replica: string;
  /** SHA-256, hex, of what it serves; absent: it serves what was approved, and what was seen before is over. */
  readonly digest?: string;
  /** From what was approved to what is served; the first ones where there are many. Empty without a digest. */
  readonly changes: readonly JsonChange[];
  /** RFC 3339. */
  readonly at: string;
};

/** Changes that one sighting tells at most. */
export const MAX_DRIFT_CHANGES = 32;

/** Longest text of a value in a change, characters; a longer one is cut. */
export const MAX_DRIFT_TEXT = 1_024;

/** Takes sightings to the registry. */
export type DriftReporter = {
  /** In the order they were made; may be repeated until it is answered. The error, for the log: they may not be kept. */
  report(sightings: readonly DriftSighting[]): Promise<Result<true, string>>;
};
