// What Envoy is told about the way of an allowed call beside its version: the replica that holds the caller's session, what
// consistent hashing goes by, for servers that hash on who calls, and whether the call may be sent again. Pure.

import { createHash } from 'node:crypto';
import type { Steering } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { RETRY_SAFE } from '#core/internal-headers.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { ServerVersion } from '#core/server.ts';
import { type Place, routePathOf } from '#ext-authz/locate.ts';
import { isSafeToRepeat } from '#ext-authz/repeatable.ts';

/** A short key is as good for choosing a replica; two callers that share one share a replica, no more. */
const DIGEST_CHARACTERS = 22;

/**
 * A digest, because the key passes through Envoy, whose logs are not for identities; the same in every process, so that
 * all Envoys choose the same replica. Undefined where the server does not hash on it, or the call has no session yet.
 */
export const hashKey = ({ tenant, server }: Place, identity: Identity, call: McpCall): string | undefined => {
  const { hashOn } = server.upstream?.loadBalancing ?? {};
  if (hashOn === undefined || typeof hashOn === 'object') return undefined;
  const key = hashOn === 'principal' ? identity.principal : call.sessionId;
  if (key === undefined) return undefined;
  const text = JSON.stringify([tenant.id, server.id, hashOn, key]);
  return createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_CHARACTERS);
};

/** The internal headers of an allowed call beside its version. */
export const steer = ({
  place,
  version,
  identity,
  call,
  session,
}: {
  readonly place: Place;
  readonly version: ServerVersion;
  readonly identity: Identity;
  readonly call: McpCall;
  readonly session: CallSession | undefined;
}): Steering => {
  const hash = hashKey(place, identity, call);
  const path = routePathOf(place);
  return {
    ...(path === undefined ? {} : { path }),
    ...(hash === undefined ? {} : { hash }),
    ...(isSafeToRepeat(version, call) ? { retry: RETRY_SAFE } : {}),
    ...(session === undefined ? {} : { host: session.host }),
  };
};
