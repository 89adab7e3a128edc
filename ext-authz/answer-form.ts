// What the answer to a client needs beside the decision, taken from what the steps found: the message's id, where the
// metadata is, whom to ask, which origin may read it. What was not established stays at its most careful default. Pure.

import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';
import type { ResponseContext } from '#ext-authz/response/check-response.ts';
import { corsHeaders } from '#ext-authz/response/cors.ts';
import { resourceMetadataUrl } from '#ext-authz/response/protected-resource-metadata.ts';
import { advertisedScopes } from '#ext-authz/response/scopes.ts';
import type { Findings } from '#ext-authz/trail.ts';

const corsFor = (request: HttpRequest | undefined, { place }: Findings): ResponseContext['cors'] => {
  if (request === undefined || place === undefined) return undefined;
  const origin = judgeOrigin(request, place.tenant.allowedOrigins);
  return origin.ok && origin.value !== undefined ? corsHeaders(origin.value) : undefined;
};

/** @param publicUrl absolute URL of the gateway, from configuration. */
export const answerForm = (
  request: HttpRequest | undefined,
  findings: Findings,
  publicUrl: string,
): ResponseContext => {
  const { place, id } = findings;
  const known = { id: id ?? null, requestId: request?.requestId ?? '' };
  if (place === undefined) return { ...known, scopes: [], refusalStatus: 200 };
  return {
    ...known,
    contact: place.tenant.accessContact,
    resourceMetadataUrl: resourceMetadataUrl(publicUrl, place.path),
    scopes: advertisedScopes(place.tenant, place.server),
    refusalStatus: place.server.refusalStatus,
    cors: corsFor(request, findings),
  };
};
