// Tenants that were written before a field of theirs existed: in the database, in its revisions, in a copy on disk, by
// a registry older than its consumers. They are completed wherever they are read, so nothing that was stored is
// rewritten and a revision stays what it was.

import { isJsonObject } from '#core/json.ts';

/** What a tenant without the field means. Each must give nobody anything, or be as it was before there was such a thing. */
const LATER_FIELDS = { publishers: [], killSwitches: [] };

/** The tenant with fields that are younger than it; anything that is no object is left for the schema to refuse. */
export const completeTenant = (stored: unknown): unknown =>
  isJsonObject(stored) ? { ...LATER_FIELDS, ...stored } : stored;
