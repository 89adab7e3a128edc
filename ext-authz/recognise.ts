// The first part of a decision: where the call goes, what it is, who makes it.

import type { Deny } from '#core/decision.ts';
import { endpointUrl } from '#core/endpoint-path.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { locate, type Place, rootUrlOf } from '#ext-authz/locate.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { standsOpen } from '#ext-authz/standing.ts';
import type { Trail } from '#ext-authz/trail.ts';

/** Longest body that is read of a caller nobody knows yet: a large one takes half a second no other call is judged in. */
const MAX_STRANGER_BYTES = 64 * 1024;

/** Who calls what; nothing of it is judged by policy yet. */
export type Recognised = {
  readonly place: Place;
  readonly call: McpCall;
  readonly identity: Identity;
  /** The caller's own token. */
  readonly assertion: Secret;
};

/**
 * Locate, origin, parse and identity; what was learnt is in `trail`, also when it refuses.
 * @param signal ends the wait for keys of an issuer, or for its answer.
 */
export const recognise = async (
  parts: PipelineParts,
  request: HttpRequest,
  { trail, nowMs, signal }: { readonly trail: Trail; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Result<Recognised, Deny>> => {
  const place = locate(request, parts.world(), nowMs);
  if (!place.ok) return place;
  const { tenant, server } = place.value;
  trail.step('locate', { place: place.value });

  const origin = judgeOrigin(request, tenant.allowedOrigins);
  if (!origin.ok) return origin;

  // Said to strangers too, and before anything is spent on them: nobody should sign in to a server that is off.
  const open = standsOpen(parts, request, {});
  const isLong = request.body.length > MAX_STRANGER_BYTES;
  if (isLong && !open.ok) return open;
  const authenticate = () => {
    const { headers, method, clientCertificate } = request;
    const url = endpointUrl(rootUrlOf(place.value, parts.publicUrl), place.value.path);
    const target = { method, url };
    const nowSeconds = Math.floor(nowMs / 1000);
    const connection = clientCertificate === undefined ? {} : { clientCertificate };
    const at = { tenant, server, target, nowSeconds, signal, ...connection };
    return parts.authenticator.authenticate({ headers, ...at });
  };
  const early = isLong ? await authenticate() : undefined;
  if (early?.ok === false) return early;

  const { id, result: call } = parseMcpCall(request, { maxBodyBytes: server.maxBodyBytes });
  trail.step('parse', call.ok ? { id, call: call.value } : { id });
  if (!open.ok) return open;
  if (!call.ok) return call;

  const caller = early ?? (await authenticate());
  trail.step('identity', caller.ok ? { identity: caller.value.identity } : {});
  if (!caller.ok) return caller;
  const { identity, token: assertion } = caller.value;
  return ok({ place: place.value, call: call.value, identity, assertion });
};
