// Every request of the façade, by its path: which façade, which endpoint, and what is said where something is refused. A
// person is told on a page, a program in JSON.

import { findFacade, METADATA_PREFIX } from '#core/facade-path.ts';
import type { Result } from '#core/result.ts';
import { authorize } from '#oauth-facade/authorize/authorize.ts';
import { callback } from '#oauth-facade/callback.ts';
import { consent } from '#oauth-facade/consent/consent.ts';
import { faultPage } from '#oauth-facade/consent/pages.ts';
import { type Fronted, findFronted } from '#oauth-facade/fronted.ts';
import { jsonReply, preflightReply, type Reply, refusalReply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { buildMetadata } from '#oauth-facade/metadata.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import type { Refusal } from '#oauth-facade/refusal.ts';
import { register } from '#oauth-facade/register.ts';
import { token } from '#oauth-facade/token/token.ts';

/** What happened, for the log and the metrics. */
export type Outcome = {
  readonly reply: Reply;
  /** Name of the endpoint; `none` where there is no such. */
  readonly endpoint: EndpointName | 'none';
  readonly facade?: string;
  readonly refused?: Refusal;
};

type Handled = Result<Reply | { readonly reply: Reply; readonly refused?: Refusal }, Refusal>;

type Endpoint = {
  readonly method: 'GET' | 'POST';
  /** Who reads the answer: a person before a browser, or a program. */
  readonly reader: 'person' | 'program';
  readonly handle: (parts: FacadeParts, fronted: Fronted, request: Request) => Handled | Promise<Handled>;
};

const ENDPOINTS = {
  authorize: { method: 'GET', reader: 'person', handle: authorize },
  consent: { method: 'POST', reader: 'person', handle: consent },
  callback: { method: 'GET', reader: 'person', handle: callback },
  token: { method: 'POST', reader: 'program', handle: token },
  register: { method: 'POST', reader: 'program', handle: register },
  metadata: {
    method: 'GET',
    reader: 'program',
    handle: (_parts, fronted) => ({ ok: true, value: jsonReply(200, buildMetadata(fronted)) }),
  },
} as const satisfies Record<string, Endpoint>;

type EndpointName = keyof typeof ENDPOINTS;

const findEndpointName = (rest: string): EndpointName | undefined => {
  const name = rest.slice(1);
  return Object.hasOwn(ENDPOINTS, name) && name !== 'metadata' ? (name as EndpointName) : undefined;
};

/** Façade and endpoint a path names. The metadata of an issuer is found before its path (RFC 8414 §3.1). */
const findPlace = (path: string) => {
  if (path.startsWith(`${METADATA_PREFIX}/`)) {
    const ref = findFacade(path.slice(METADATA_PREFIX.length));
    return ref?.rest === '' ? { ref, name: 'metadata' as const } : undefined;
  }
  const ref = findFacade(path);
  const name = findEndpointName(ref?.rest ?? '');
  return ref === undefined || name === undefined ? undefined : { ref, name };
};

const NOT_FOUND: Outcome = { reply: jsonReply(404, { error: 'not_found' }), endpoint: 'none' };

const unusual = ({ method, reader }: Endpoint, request: Request): Reply | undefined => {
  if (request.method === method || (request.method === 'HEAD' && method === 'GET')) return undefined;
  return request.method === 'OPTIONS' && reader === 'program'
    ? preflightReply()
    : jsonReply(405, { error: 'method_not_allowed' }, { allow: method });
};

/** Answers one request. Throws for broken machinery only. */
export const answerRequest = async (parts: FacadeParts, request: Request): Promise<Outcome> => {
  const place = findPlace(request.path);
  const fronted = place === undefined ? undefined : findFronted(parts.snapshot(), place.ref, parts.publicUrl);
  if (place === undefined || fronted === undefined) return NOT_FOUND;
  const endpoint: Endpoint = ENDPOINTS[place.name];
  const known = { endpoint: place.name, facade: `${place.ref.tenantId}/${place.ref.issuerId}` };
  const reply = unusual(endpoint, request);
  if (reply !== undefined) return { ...known, reply };
  const handled = await endpoint.handle(parts, fronted, request);
  if (handled.ok)
    return { ...known, ...('reply' in handled.value ? handled.value : { reply: handled.value }) };
  const refused = handled.error;
  return {
    ...known,
    refused,
    reply: endpoint.reader === 'person' ? faultPage(refused) : refusalReply(refused),
  };
};
