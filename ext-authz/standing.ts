// Whether what was found open still is: switches, revocations and drifting tools change while a call waits for keys, tokens
// and people.

import type { Deny } from '#core/decision.ts';
import { NO_DRIFT } from '#core/drift-book.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, type Result } from '#core/result.ts';
import type { ServerVersion } from '#core/server.ts';
import { judgeDrift } from '#ext-authz/drift/judge-drift.ts';
import { locate, type Place } from '#ext-authz/locate.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeRevocation } from '#ext-authz/revocation/judge-revocation.ts';
import { judgeSwitches, type KnownOfCall } from '#ext-authz/switches.ts';

/**
 * The place of a call in the world as it is now, unless a switch stops what is known of the call, or the caller was
 * revoked. Keys and tokens are waited for, for seconds: what came meanwhile counts.
 */
export const standsOpen = (
  parts: PipelineParts,
  request: HttpRequest,
  known: KnownOfCall,
): Result<Place, Deny> => {
  const nowMs = parts.nowMs();
  const world = parts.world();
  const place = locate(request, world, nowMs);
  if (!place.ok) return place;
  const thrown = judgeSwitches(place.value, known, nowMs);
  if (thrown !== undefined) return err(thrown);
  const { identity } = known;
  if (identity === undefined) return place;
  const { freshAtMs } = world;
  const revoked = judgeRevocation(place.value.tenant, identity, {
    book: parts.revocations,
    freshAtMs,
    nowMs,
  });
  return revoked === undefined ? place : err(revoked);
};

/** A call that policy has granted. */
export type GrantedCall = {
  readonly identity: Identity;
  readonly call: McpCall;
  readonly version: ServerVersion;
};

/** The place of a granted call as it is now, unless a switch or what a server has made of the tool stops the call. */
export const standsGranted = (
  parts: PipelineParts,
  request: HttpRequest,
  { identity, call, version }: GrantedCall,
): Result<Place, Deny> => {
  const open = standsOpen(parts, request, { identity, call });
  if (!open.ok) return open;
  const drifted = judgeDrift(parts.world().drift ?? NO_DRIFT, { place: open.value, version, call });
  return drifted === undefined ? open : err(drifted);
};
