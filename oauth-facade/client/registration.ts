// Clients that register themselves (RFC 7591). What they say of themselves is sealed into the id they get, so there is no
// list of clients that a stranger could fill. They are public: there is no secret to give.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import type { Client } from '#oauth-facade/client/client.ts';
import { judgeClientMetadata } from '#oauth-facade/client/client-metadata.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import type { Sealer } from '#oauth-facade/sealer.ts';

/** Longest id, characters: it travels in addresses. */
const MAX_ID = 2_048;

/** Where a client that gave no name stands in a sentence. */
const NAMELESS = 'An application without a name';

type SealedClient = readonly [name: string, redirectUris: readonly string[], refreshes: boolean];

const parseBody = (text: string): Result<JsonObject, Refusal> => {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return ok(value);
  } catch {
    // Said below.
  }
  return refuse('invalid_client_metadata', 'The body must be a JSON object.');
};

/** The answer of RFC 7591 §3.2.1 to a registration. */
export const registerClient = (
  { facade, ref }: Fronted,
  text: string,
  { sealer, nowSeconds }: { readonly sealer: Sealer; readonly nowSeconds: number },
): Result<JsonObject, Refusal> => {
  if (!facade.registration) return refuse('invalid_request', 'Clients cannot register themselves here.');
  const body = parseBody(text);
  if (!body.ok) return body;
  const judged = judgeClientMetadata(body.value, facade.clientHosts);
  if (!judged.ok) return judged;
  const { name, redirectUris, refreshes } = judged.value;
  const id = sealer.seal('client', ref, [name, redirectUris, refreshes] satisfies SealedClient);
  if (id.length > MAX_ID) return refuse('invalid_client_metadata', 'The addresses are too long altogether.');
  return ok({
    client_id: id,
    client_id_issued_at: nowSeconds,
    ...(name === '' ? {} : { client_name: name }),
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', ...(refreshes ? ['refresh_token'] : [])],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
};

/** The client that got this id here; undefined if none did, or its host is let in no longer. */
export const findRegistered = ({ facade, ref }: Fronted, id: string, sealer: Sealer): Client | undefined => {
  const opened = facade.registration ? sealer.open<SealedClient>('client', ref, id) : undefined;
  if (opened === undefined) return undefined;
  const [name, redirectUris, refreshes] = opened;
  const judged = judgeClientMetadata({ client_name: name, redirect_uris: redirectUris }, facade.clientHosts);
  return judged.ok ? { id, name: name === '' ? NAMELESS : name, redirectUris, refreshes } : undefined;
};
