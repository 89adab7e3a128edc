// `/register`: the endpoint before `client/registration.ts`.

import { ok, type Result } from '#core/result.ts';
import { registerClient } from '#oauth-facade/client/registration.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { jsonReply, type Reply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';

export const register = (parts: FacadeParts, fronted: Fronted, request: Request): Result<Reply, Refusal> => {
  if (request.mediaType !== 'application/json')
    return refuse('invalid_client_metadata', 'The body must be application/json.');
  const retryAfterSeconds = parts.strangers.take(fronted.url, parts.nowMs());
  if (retryAfterSeconds > 0)
    return refuse('temporarily_unavailable', 'Too many clients register at once; try again in a moment.', {
      status: 429,
      retryAfterSeconds,
    });
  const registered = registerClient(fronted, request.body, {
    sealer: parts.sealer,
    nowSeconds: nowSecondsOf(parts),
  });
  return registered.ok ? ok(jsonReply(201, registered.value)) : registered;
};
