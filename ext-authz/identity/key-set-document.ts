// A JSON Web Key Set (RFC 7517) as an issuer published it, cut down to public signature keys, and how the one key of
// a token is found in it. Fetches nothing. Pure but for key import.

import { createHash } from 'node:crypto';
import { type CryptoKey, createLocalJWKSet, type JWK } from 'jose';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { expandDirectory } from '#ext-authz/identity/issuers.ts';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';

type PublishedKey = {
  readonly kid: string | undefined;
  /** Entra writes into each key which issuer may sign with it; jose ignores that. */
  readonly issuer: string | undefined;
  /** Seconds since the epoch: nothing is signed with it from then on. */
  readonly endsAt: number;
  /** Imports the key for an algorithm once; rejects where it does not fit. */
  readonly importFor: ReturnType<typeof createLocalJWKSet>;
};

export type KeySetDocument = {
  /** Digest of the keys, whatever their order: changes exactly when a key comes or goes. */
  readonly revision: string;
  readonly keys: readonly PublishedKey[];
  /** What was kept of the document, for the copy on disk. */
  readonly json: JsonObject;
};

/** `endsAt`: when the key's own time is over, seconds since the epoch. */
export type FoundKey = { readonly kind: 'found'; readonly key: CryptoKey; readonly endsAt: number };

/** `foreign`: the key is known but belongs to another issuer. */
export type KeyFinding = FoundKey | { readonly kind: 'unknown' } | { readonly kind: 'foreign' };

/** Entra publishes about ten. */
const MAX_KEYS = 200;

/** RFC 7518 §3.3: RSA keys of 2048 bits or more; in base64url that many characters of modulus. */
const MIN_MODULUS_LENGTH = 342;

/** Members that are kept. No private one is among them, nor `x5u`, which is an address. */
const KEPT_MEMBERS = [
  ...['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y'],
  ...['issuer', 'exp'],
];

const isStrongEnough = (key: JsonObject): boolean =>
  key['kty'] !== 'RSA' || (typeof key['n'] === 'string' && key['n'].length >= MIN_MODULUS_LENGTH);

// A key published with its private part (`d`) is everybody's; `oct` is a shared secret and must not be here at all. An end
// that cannot be read could have come (`exp`, `revoked`: OpenID Federation 1.0, §8.7.2, where historical keys are told).
const isUsable = (key: Json): key is JsonObject =>
  isJsonObject(key) &&
  (key['kty'] === 'RSA' || key['kty'] === 'EC' || key['kty'] === 'OKP') &&
  (key['use'] === undefined || key['use'] === 'sig') &&
  key['d'] === undefined &&
  key['revoked'] === undefined &&
  (key['exp'] === undefined || typeof key['exp'] === 'number') &&
  isStrongEnough(key);

const keepPublic = (key: JsonObject): JsonObject =>
  Object.fromEntries(KEPT_MEMBERS.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])));

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

const publish = (key: JsonObject): PublishedKey => ({
  kid: textOf(key['kid']),
  issuer: textOf(key['issuer']),
  endsAt: typeof key['exp'] === 'number' ? key['exp'] : Number.POSITIVE_INFINITY,
  importFor: createLocalJWKSet({ keys: [key as unknown as JWK] }),
});

const revisionOf = (keys: readonly JsonObject[]): string =>
  createHash('sha256')
    .update(
      keys
        .map((key) => JSON.stringify(key))
        .toSorted()
        .join('\n'),
    )
    .digest('base64url');

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/** @returns the document; or what is wrong with it, which includes holding no usable key: nobody publishes that on purpose. */
export const parseKeySet = (text: string): Result<KeySetDocument, string> => {
  const json = parseJson(text);
  const published = isJsonObject(json) ? json['keys'] : undefined;
  if (!Array.isArray(published)) return err('the answer is not a JSON Web Key Set');
  if (published.length > MAX_KEYS) return err(`the key set holds more than ${MAX_KEYS} keys`);
  const keys = (published as readonly Json[]).filter(isUsable).map(keepPublic);
  if (keys.length === 0) return err('the key set holds no usable signature key');
  return ok({ revision: revisionOf(keys), keys: keys.map(publish), json: { keys } });
};

const belongsTo = (key: PublishedKey, token: TokenHint): boolean =>
  key.issuer === undefined || expandDirectory(key.issuer, token.tid ?? '') === token.iss;

const importKey = async (published: PublishedKey, token: TokenHint): Promise<FoundKey | undefined> => {
  const { kid, endsAt } = published;
  try {
    const key = await published.importFor({ alg: token.algorithm, ...(kid === undefined ? {} : { kid }) });
    return { kind: 'found', key, endsAt };
  } catch {
    return undefined;
  }
};

/**
 * The key a token says it was signed with; one whose time is over is none. A token without `kid` is accepted only where one single key can be meant.
 */
export const findKey = async (
  document: KeySetDocument,
  token: TokenHint,
  nowSeconds: number,
): Promise<KeyFinding> => {
  const living = document.keys.filter(({ endsAt }) => endsAt > nowSeconds);
  const named = living.filter((key) => token.kid === undefined || key.kid === token.kid);
  const own = named.filter((key) => belongsTo(key, token));
  if (own.length === 0) return { kind: named.length > 0 ? 'foreign' : 'unknown' };
  const imported = await Promise.all(own.map((key) => importKey(key, token)));
  const [found, ...others] = imported.filter((candidate) => candidate !== undefined);
  return found !== undefined && others.length === 0 ? found : { kind: 'unknown' };
};
