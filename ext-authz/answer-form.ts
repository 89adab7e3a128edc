// What the answer to a client needs beside the decision, taken from what the steps found: the message's id, where the
// metadata is, whom to ask, which origin may read it. What was not established stays at its most careful default. Pure.

import { endpointUrl } from '#core/endpoint-path.ts';
import type { McpServer } from '#core/server.ts';
import { advertisedScopes } from '#core/told-scopes.ts';
import { canShowLink } from '#ext-authz/approval/approval-params.ts';
import { rootUrlOf } from '#ext-authz/locate.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';
import type { ResponseContext } from '#ext-authz/response/check-response.ts';
import { corsHeaders } from '#ext-authz/response/cors.ts';
import { dpopOffer } from '#ext-authz/response/dpop-offer.ts';
import { resourceMetadataUrl } from '#ext-authz/response/protected-resource-metadata.ts';
import type { Findings } from '#ext-authz/trail.ts';

const corsFor = (request: HttpRequest | undefined, { place }: Findings): ResponseContext['cors'] => {
  if (request === undefined || place === undefined) return undefined;
  const origin = judgeOrigin(request, place.tenant.allowedOrigins);
  return origin.ok && origin.value !== undefined ? corsHeaders(origin.value) : undefined;
};

// A JSON-RPC error is read from the answer to a POST only. Clients take a GET answered 200 for a stream that has ended,
// and open the next one, for ever.
const refusalStatusFor = (request: HttpRequest | undefined, server: McpServer): 200 | 403 =>
  request?.method === 'POST' ? server.refusalStatus : 403;

const isSentByDpop = (request: HttpRequest | undefined): boolean =>
  /^dpop /i.test(request?.headers.get('authorization')?.[0] ?? '');

// A stranger is not told what the path names; the caller who is known hears what the call itself named.
const askedFor = ({ place, identity, call }: Findings): ResponseContext['asked'] =>
  place === undefined || identity === undefined || call === undefined
    ? undefined
    : { serverId: place.server.id, targets: call.targets };

/** @param publicUrl absolute URL of the gateway, from configuration. */
export const answerForm = (
  request: HttpRequest | undefined,
  findings: Findings,
  publicUrl: string,
): ResponseContext => {
  const { place, id, call } = findings;
  const known = { id: id ?? null, requestId: request?.requestId ?? '' };
  if (place === undefined) return { ...known, scopes: [], refusalStatus: 200 };
  const root = rootUrlOf(place, publicUrl);
  return {
    ...known,
    contact: place.tenant.accessContact,
    asked: askedFor(findings),
    resourceMetadataUrl: resourceMetadataUrl(root, place.path),
    scopes: advertisedScopes(
      { ...place, resource: endpointUrl(root, place.path) },
      findings.identity?.issuerId,
    ),
    dpop: dpopOffer(place.tenant, place.server),
    sentByDpop: isSentByDpop(request),
    refusalStatus: refusalStatusFor(request, place.server),
    cors: corsFor(request, findings),
    canShowLink: call !== undefined && canShowLink(call),
  };
};
