// Which calls Envoy may send a second time although the first may have run. Pure.

import { findTool } from '#core/find-tool.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import { findMethod } from '#ext-authz/request/methods.ts';

const isIdempotentTool = (version: ServerVersion, { targets }: McpCall): boolean =>
  targets.length === 1 &&
  targets.every(({ kind, name }) => kind === 'tool' && findTool(version, name)?.idempotent === true);

/**
 * Whether a second run does no harm: the method only reads, or its tool is pinned as idempotent. Never within a session:
 * it lives on one replica, and another one would answer that there is none, upon which the client gives it up.
 */
export const isSafeToRepeat = (version: ServerVersion, call: McpCall): boolean => {
  if (call.kind !== 'request' || call.method === undefined || call.sessionId !== undefined) return false;
  return call.method === 'tools/call'
    ? isIdempotentTool(version, call)
    : findMethod(call.method, call.era)?.reads === true;
};
