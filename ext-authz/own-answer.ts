// Requests the gateway answers itself, before anyone is asked for a credential: protected-resource metadata and CORS
// preflights. Pure.

import type { Answer, Deny } from '#core/decision.ts';
import { findPlace, locate, rootUrlOf, type World } from '#ext-authz/locate.ts';
import { findDocumentEndpoint } from '#ext-authz/request/document-endpoint.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { isPreflight } from '#ext-authz/request/origin.ts';
import { answerPreflight } from '#ext-authz/response/cors.ts';
import { answerMetadata, type GatewayUrls } from '#ext-authz/response/protected-resource-metadata.ts';

/** Value of the route's `document` for RFC 9728 metadata. */
const METADATA_DOCUMENT = 'protected-resource-metadata';

const metadata = (request: HttpRequest, world: World, urls: GatewayUrls): Answer => {
  const { method, authority } = request;
  const path = findDocumentEndpoint(request.path)?.path;
  const subject = path === undefined ? undefined : findPlace(world, { authority, path });
  return answerMetadata(method, { ...urls, subject, publicUrl: rootUrlOf(subject ?? {}, urls.publicUrl) });
};

const preflight = (request: HttpRequest, world: World, nowMs: number): Answer | Deny => {
  const place = locate(request, world, nowMs);
  if (!place.ok) return place.error;
  const answered = answerPreflight(request, place.value.tenant.allowedOrigins);
  return answered.ok ? answered.value : answered.error;
};

/** The answer or refusal, or undefined if the request is a call to be judged. */
export const ownAnswer = (
  request: HttpRequest,
  world: World,
  known: GatewayUrls & { readonly nowMs: number },
): Answer | Deny | undefined => {
  if (request.context.document === METADATA_DOCUMENT) return metadata(request, world, known);
  return isPreflight(request) ? preflight(request, world, known.nowMs) : undefined;
};
