// The shapes of drifting tools: sightings as they are reported (core/tool-drift.ts), and the state of a server as the feed
// carries it and copies keep it (core/drift-book.ts).

import { Type } from 'typebox';
import { MAX_DRIFT_CHANGES } from '#core/tool-drift.ts';
import { AnyJson, Id, Moment, ToolName, VersionName } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

/** RFC 6901; the names in it are the server's. */
const Pointer = Type.String({ maxLength: 1_024 });

export const DriftChangeSchema = Type.Union([
  Type.Object({ change: Type.Literal('added'), pointer: Pointer, after: AnyJson }, closed),
  Type.Object({ change: Type.Literal('removed'), pointer: Pointer, before: AnyJson }, closed),
  Type.Object({ change: Type.Literal('changed'), pointer: Pointer, before: AnyJson, after: AnyJson }, closed),
]);

/** SHA-256, hex. */
export const DriftDigest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** `address:port`, an IPv6 address in brackets. */
export const Replica = Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$' });

export const DriftSightingSchema = Type.Object(
  {
    tenantId: Id,
    serverId: Id,
    version: VersionName,
    tool: ToolName,
    replica: Replica,
    digest: Type.Optional(DriftDigest),
    changes: Type.Array(DriftChangeSchema, { maxItems: MAX_DRIFT_CHANGES }),
    at: Moment,
  },
  closed,
);

export const ServerDriftSchema = Type.Object(
  {
    tenantId: Id,
    serverId: Id,
    tools: Type.Array(Type.Object({ version: VersionName, tool: ToolName, since: Moment }, closed)),
  },
  closed,
);
