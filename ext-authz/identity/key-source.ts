// Where the keys of an issuer are said to be: at an address the tenant wrote, or in its discovery document (OpenID
// Connect Discovery 1.0 §4). Reads that document; fetches nothing. Pure.

import { discoveryUriOf, type TrustedIssuer } from '#core/issuer.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export type KeySource =
  | { readonly kind: 'jwks'; readonly uri: string }
  | { readonly kind: 'discovery'; readonly uri: string; readonly issuer: string };

export const keySourceOf = ({ issuer, jwksUri, discoveryUri }: TrustedIssuer): KeySource =>
  jwksUri === undefined
    ? { kind: 'discovery', uri: discoveryUri ?? discoveryUriOf(issuer), issuer }
    : { kind: 'jwks', uri: jwksUri };

/**
 * What its keys are kept under. The same document read on behalf of two issuers is two sources: it can be right about
 * one of them only, and keys found for the one must never speak for the other. A list in JSON is no URL, and no two
 * lists read the same: a tenant cannot write an address that is another's name.
 */
export const sourceName = (source: KeySource): string =>
  source.kind === 'jwks' ? source.uri : JSON.stringify([source.uri, source.issuer]);

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/**
 * The `jwks_uri` of a discovery document. Its `issuer` must be the one that was asked for, to the letter (§4.3): one
 * provider's document under another's address is how an issuer comes to vouch for strangers (mix-up, RFC 9207). The
 * algorithms it lists are not read: which are accepted is the tenant's word.
 * @returns the address, yet to be judged by the egress guard; or a sentence that repeats nothing of the document.
 */
export const parseDiscovery = (text: string, issuer: string): Result<string, string> => {
  const json = parseJson(text);
  if (!isJsonObject(json)) return err('the answer is not a discovery document');
  if (json['issuer'] !== issuer) return err('the discovery document names another issuer');
  const { jwks_uri: jwksUri } = json;
  return typeof jwksUri === 'string' ? ok(jwksUri) : err('the discovery document names no key set');
};
