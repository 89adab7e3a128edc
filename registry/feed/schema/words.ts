// Words that every schema shares: ids, names, URLs, scopes, with their longest lengths. A bound on each text and list
// bounds what one tenant can make every service hold in memory.

import { Type } from 'typebox';
import { ID_PATTERN } from '#core/endpoint-path.ts';
import type { Json, JsonObject } from '#core/json.ts';

/** Longest URL accepted, characters: what browsers and proxies still carry. */
const MAX_URL_LENGTH = 2048;

export const Id = Type.String({
  pattern: ID_PATTERN,
  description: 'Lower-case letters, digits and hyphens; 1 to 63 characters; starts with a letter or a digit.',
});

export const ShortText = Type.String({ minLength: 1, maxLength: 256 });

export const LongText = Type.String({ maxLength: 16_384 });

/** RFC 3339 in UTC; whether it is a moment of the calendar is judged by the commands. */
export const Moment = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$',
  description: 'RFC 3339 in UTC, e.g. 2026-01-31T00:00:00Z',
});

/** Only the length is judged here; what a URL may name is judged by the commands, which can say why. */
export const UrlText = Type.String({ minLength: 1, maxLength: MAX_URL_LENGTH });

/** RFC 6749 §3.3 scope-token: it ends up inside a quoted challenge parameter, so quotes and backslashes are refused. */
export const Scope = Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,256}$' });

/** Becomes a file name in a directory of secrets, so it cannot hold a slash or begin with a dot. */
export const SecretName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' });

/** Part of a cluster name and a header value. */
export const VersionName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$' });

/** MCP tool names (schema revision 2025-11-25 and later recommend exactly these characters). */
export const ToolName = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' });

/** A JSON object kept as it is: JSON Schemas, annotations. */
export const AnyObject = Type.Unsafe<JsonObject>({ type: 'object' });

export const AnyJson = Type.Unsafe<Json>({});
