// Which revision of MCP a message is written in. Header and body must name the same one: whoever reads only one of
// them (Envoy's filter reads the header, servers read the body) must come to the same rules as we do.

import { type Deny, deny } from '#core/decision.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import {
  LEGACY_PROTOCOL_VERSIONS,
  PROTOCOL_VERSIONS,
  type ProtocolEra,
  type ProtocolVersion,
  STATELESS_PROTOCOL_VERSIONS,
} from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import type { JsonRpcMessage } from '#ext-authz/request/json-rpc.ts';
import { headerValue } from '#ext-authz/request/single-header.ts';

export type Revision = { readonly era: ProtocolEra; readonly protocolVersion: ProtocolVersion };

export const PROTOCOL_VERSION_HEADER = 'mcp-protocol-version';
export const PROTOCOL_VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CLIENT_CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';

/** What a legacy client speaks that sends no version header (MCP 2025-06-18, Protocol Version Header). */
const UNNAMED: ProtocolVersion = '2025-03-26';

const isOneOf = <T extends string>(versions: readonly T[], value: Json | undefined): value is T =>
  (versions as readonly unknown[]).includes(value);

const unsupported = (requested: string): Result<never, Deny> =>
  err(
    deny('protocol_version_unsupported', {
      public: {
        field: PROTOCOL_VERSION_HEADER,
        supportedVersions: PROTOCOL_VERSIONS,
        requestedVersion: requested.slice(0, 64),
      },
    }),
  );

const paramsInvalid = (field: string): Result<never, Deny> =>
  err(deny('params_invalid', { public: { field } }));

/** The revision the version header names; without one, the oldest with streamable HTTP. */
export const revisionOfHeader = (headers: HttpRequest['headers']): Result<Revision, Deny> => {
  const named = headerValue(headers, PROTOCOL_VERSION_HEADER) ?? UNNAMED;
  if (!isOneOf(PROTOCOL_VERSIONS, named)) return unsupported(named);
  const era = isOneOf(STATELESS_PROTOCOL_VERSIONS, named) ? 'stateless' : 'legacy';
  return ok({ era, protocolVersion: named });
};

const parseMeta = (params: JsonObject): Result<JsonObject, Deny> => {
  const meta = params['_meta'] ?? (Object.hasOwn(params, '_meta') ? null : {});
  if (!isJsonObject(meta)) return paramsInvalid('params._meta');
  const variant = findKeyVariant(meta, [PROTOCOL_VERSION_KEY, CLIENT_CAPABILITIES_KEY]);
  return variant === undefined ? ok(meta) : paramsInvalid(`params._meta.${variant}`.slice(0, 128));
};

/** What the body says of its version must be what the header says; a body that says so needs the header. */
const judgeClaim = (meta: JsonObject, headers: HttpRequest['headers']): Deny | undefined => {
  if (!Object.hasOwn(meta, PROTOCOL_VERSION_KEY)) return undefined;
  const claimed = meta[PROTOCOL_VERSION_KEY];
  if (typeof claimed !== 'string')
    return deny('params_invalid', { public: { field: `params._meta.${PROTOCOL_VERSION_KEY}` } });
  return claimed === headerValue(headers, PROTOCOL_VERSION_HEADER)
    ? undefined
    : deny('header_mismatch', { public: { field: PROTOCOL_VERSION_HEADER } });
};

/** Members of `_meta` that every stateless request must carry (MCP 2026-07-28, Requests). */
const findMissingMeta = (meta: JsonObject): string | undefined => {
  if (typeof meta[PROTOCOL_VERSION_KEY] !== 'string') return PROTOCOL_VERSION_KEY;
  return isJsonObject(meta[CLIENT_CAPABILITIES_KEY]) ? undefined : CLIENT_CAPABILITIES_KEY;
};

const judgeMeta = (
  message: Exclude<JsonRpcMessage, { kind: 'response' }>,
  headers: HttpRequest['headers'],
): Result<Revision, Deny> => {
  const meta = parseMeta(message.params);
  if (!meta.ok) return meta;
  const mismatch = judgeClaim(meta.value, headers);
  if (mismatch !== undefined) return err(mismatch);
  const revision = revisionOfHeader(headers);
  if (!revision.ok || revision.value.era === 'legacy' || message.kind === 'notification') return revision;
  const missing = findMissingMeta(meta.value);
  return missing === undefined ? revision : paramsInvalid(`params._meta.${missing}`);
};

/** An `initialize` says itself what its client speaks; a version unknown to us is negotiated down by the server. */
const revisionOfInitialize = (revision: Revision, params: JsonObject): Revision => {
  const asked = params['protocolVersion'];
  return isOneOf(LEGACY_PROTOCOL_VERSIONS, asked) ? { ...revision, protocolVersion: asked } : revision;
};

/**
 * @returns the revision, or header_mismatch, params_invalid (a required `_meta` member is missing),
 * protocol_version_unsupported, or jsonrpc_invalid (a client's response exists in the legacy era only).
 */
export const parseRevision = (
  message: JsonRpcMessage,
  headers: HttpRequest['headers'],
): Result<Revision, Deny> => {
  const revision = message.kind === 'response' ? revisionOfHeader(headers) : judgeMeta(message, headers);
  if (!revision.ok) return revision;
  if (revision.value.era === 'stateless')
    return message.kind === 'response'
      ? err(deny('jsonrpc_invalid', { public: { field: 'method' } }))
      : revision;
  return message.kind === 'request' && message.method === 'initialize'
    ? ok(revisionOfInitialize(revision.value, message.params))
    : revision;
};
