// Which client an id stands for: by its own document or by its registration, whichever of them the façade takes.

import type { JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import type { Client } from '#oauth-facade/client/client.ts';
import { judgeClientMetadata } from '#oauth-facade/client/client-metadata.ts';
import { isDocumentUrl, looksLikeUrl } from '#oauth-facade/client/document-url.ts';
import type { Documents } from '#oauth-facade/client/documents.ts';
import { judgeRedirectUri } from '#oauth-facade/client/redirect-uri.ts';
import { findRegistered } from '#oauth-facade/client/registration.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import type { Sealer } from '#oauth-facade/sealer.ts';

type ClientSources = { readonly documents: Documents; readonly sealer: Sealer };

/**
 * A document speaks to every authorization server there is: addresses that only others would send somebody to, such as
 * those of private schemes, are left out instead of shutting the client out.
 */
const withUsableAddresses = (
  document: JsonObject,
  clientHosts: readonly string[] | undefined,
): JsonObject => {
  const listed = document['redirect_uris'];
  if (!Array.isArray(listed)) return document;
  const usable = listed.filter((uri) => typeof uri === 'string' && judgeRedirectUri(uri, clientHosts).ok);
  return { ...document, redirect_uris: usable };
};

const fromDocument = async (
  { facade, url }: Fronted,
  id: string,
  { documents }: ClientSources,
): Promise<Result<Client, Refusal>> => {
  if (!facade.clientDocuments || !isDocumentUrl(id, facade.clientHosts))
    return refuse('invalid_client', 'The client id is no address of a client that is let in here.');
  const found = await documents.find(id, url);
  if (!found.ok) return found;
  const judged = judgeClientMetadata(
    withUsableAddresses(found.value, facade.clientHosts),
    facade.clientHosts,
  );
  if (!judged.ok) return judged;
  const host = new URL(id).host;
  return ok({ ...judged.value, id, host, name: judged.value.name === '' ? host : judged.value.name });
};

/** @returns the client, or `invalid_client`, `invalid_redirect_uri`, `invalid_client_metadata` */
export const findClient = async (
  fronted: Fronted,
  id: string | undefined,
  sources: ClientSources,
): Promise<Result<Client, Refusal>> => {
  if (id === undefined) return refuse('invalid_request', 'client_id is missing.');
  if (looksLikeUrl(id)) return fromDocument(fronted, id, sources);
  const client = findRegistered(fronted, id, sources.sealer);
  return client === undefined
    ? refuse('invalid_client', 'No client of this id is known here; it may have to register again.')
    : ok(client);
};

/** Whether a client that was let in once would still be, without asking its host again: that may be away for a while. */
export const isLetIn = (fronted: Fronted, id: string, { sealer }: Pick<ClientSources, 'sealer'>): boolean =>
  looksLikeUrl(id)
    ? fronted.facade.clientDocuments && isDocumentUrl(id, fronted.facade.clientHosts)
    : findRegistered(fronted, id, sealer) !== undefined;
