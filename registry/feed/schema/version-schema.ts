// The shape of a server's version and its pinned tools (core/server.ts).

import { Type } from 'typebox';
import { TRANSPORTS } from '#core/server.ts';
import {
  AnyObject,
  LongText,
  Scope,
  ShortText,
  ToolName,
  UrlText,
  VersionName,
} from '#registry/feed/schema/words.ts';

/** MCP names its revisions by date; one the gateway does not speak itself may be listed all the same. */
const ProtocolVersion = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' });

/** Tools of one version. */
export const MAX_TOOLS = 1_000;

export const ToolSchema = Type.Object(
  {
    name: ToolName,
    title: Type.Optional(Type.String({ maxLength: 256 })),
    description: Type.Optional(LongText),
    inputSchema: AnyObject,
    outputSchema: Type.Optional(AnyObject),
    annotations: Type.Optional(AnyObject),
    requiredScopes: Type.Array(Scope, { maxItems: 32, uniqueItems: true, default: [] }),
    tags: Type.Array(ShortText, { maxItems: 32, uniqueItems: true, default: [] }),
    idempotent: Type.Boolean({ default: false }),
  },
  { additionalProperties: false },
);

export const VERSION_FIELDS = {
  endpoints: Type.Array(UrlText, { minItems: 1, maxItems: 64, uniqueItems: true }),
  transport: Type.Enum([...TRANSPORTS], { default: 'streamable-http' }),
  protocolVersions: Type.Array(ProtocolVersion, { minItems: 1, maxItems: 16, uniqueItems: true }),
  tools: Type.Array(ToolSchema, { maxItems: MAX_TOOLS }),
};

/** A stored version. */
export const VersionSchema = Type.Object(
  { version: VersionName, ...VERSION_FIELDS },
  { additionalProperties: false },
);
