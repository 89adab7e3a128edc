// One MCP message as our parser understood it. Policy, logs and routes read this, never the raw body again.

import type { Json, JsonObject } from '#core/json.ts';

/** Revisions whose wire form is judged alike: with sessions and `initialize`, or stateless with mirrored headers. */
export type ProtocolEra = 'legacy' | 'stateless';

export const LEGACY_PROTOCOL_VERSIONS = ['2025-03-26', '2025-06-18', '2025-11-25'] as const;
export const STATELESS_PROTOCOL_VERSIONS = ['2026-07-28'] as const;
export const PROTOCOL_VERSIONS = [...LEGACY_PROTOCOL_VERSIONS, ...STATELESS_PROTOCOL_VERSIONS] as const;
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

export type JsonRpcId = string | number;

/**
 * `request`: has a method and an id. `notification`: a method, no id. `response`: a legacy client's answer to a
 * server's request, no method. `stream`: the legacy GET that opens an SSE stream. `session-end`: the legacy DELETE.
 * `upgrade`: the opening of a WebSocket.
 */
export type McpMessageKind = 'request' | 'notification' | 'response' | 'stream' | 'session-end' | 'upgrade';

/** What a call reaches for, if it names something a grant can be about. */
export type McpTarget =
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'prompt'; readonly name: string }
  | { readonly kind: 'resource'; readonly name: string };

/** Which list a list method returns: decides what ext-proc cuts. */
export type McpListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

export type McpCall = {
  readonly kind: McpMessageKind;
  readonly era: ProtocolEra;
  readonly protocolVersion: ProtocolVersion;
  /** Absent on responses, streams and session ends. */
  readonly method?: string;
  readonly id?: JsonRpcId;
  /** All targets must be granted. Empty for methods that reach for nothing (`ping`, lists, `initialize`). */
  readonly targets: readonly McpTarget[];
  /** Set on list methods. */
  readonly list?: McpListKind;
  /** `params.arguments` of `tools/call`, else empty. */
  readonly arguments: JsonObject;
  readonly params: Json;
  /** The client's `Mcp-Session-Id` as it stands there, legacy era only: nobody has opened it yet. */
  readonly sessionId?: string;
  /** A stream that goes on where an earlier one broke off (`Last-Event-ID`): it may bring the answer to any earlier call. */
  readonly resumes?: true;
  /** The event it goes on after, as the client names it. On exactly those that resume. */
  readonly lastEventId?: string;
};
