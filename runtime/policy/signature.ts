// Verifies a signed bundle: one JWT in `.signatures.json` that lists every other file with its digest (OPA, Bundles,
// "Signing"). By keys that were registered for it, and never by one the bundle brings along.

import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { PublisherKey } from '#core/publisher.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ArchiveFiles } from '#runtime/policy/archive.ts';
import { signedHash } from '#runtime/policy/signed-hash.ts';

const SIGNATURES = '.signatures.json';

/** Longest list of files; a bundle holds fewer. */
const MAX_JWT_LENGTH = 256 * 1024;

export type Signer = {
  readonly kid: string;
  /** RFC 7638, SHA-256: a kid can be given to another key later. */
  readonly thumbprint: string;
};

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/** The one JWT: OPA takes no more either, and a plug-in's signature is for that plug-in to verify. */
const findJwt = (file: Buffer): Result<string, string> => {
  const document = parse(file.toString('utf8'));
  const { signatures, plugin = '' } = isJsonObject(document) ? document : {};
  if (plugin !== '' && plugin !== '_default') return err('is signed for a plug-in');
  const [jwt, ...others] = Array.isArray(signatures) ? signatures : [];
  return typeof jwt === 'string' && jwt.length <= MAX_JWT_LENGTH && others.length === 0
    ? ok(jwt)
    : err(`needs exactly one signature in ${SIGNATURES}`);
};

const isInForce = ({ notBefore, notAfter }: PublisherKey, nowMs: number): boolean =>
  (notBefore === undefined || Date.parse(notBefore) <= nowMs) &&
  (notAfter === undefined || nowMs < Date.parse(notAfter));

type Verified = { readonly claims: JsonObject; readonly signer: Signer };

/** The header names the key and the key its algorithm, so that a signer can choose neither `none` nor a weaker one. */
const verifyJwt = async (
  jwt: string,
  keys: readonly PublisherKey[],
  nowMs: number,
): Promise<Result<Verified, string>> => {
  let kid: string | undefined;
  try {
    ({ kid } = decodeProtectedHeader(jwt));
  } catch {
    return err('has a signature that is no JWT');
  }
  const key = keys.find((known) => known.kid === kid && isInForce(known, nowMs));
  if (key === undefined)
    return err(`is signed by ${JSON.stringify(kid ?? '')}, which is no key of the tenant in force`);
  try {
    const { payload } = await compactVerify(jwt, await importJWK(key.jwk as JWK, key.jwk.alg), {
      algorithms: [key.jwk.alg],
    });
    const claims = parse(Buffer.from(payload).toString('utf8'));
    if (!isJsonObject(claims)) return err('has a signature without claims');
    const thumbprint = await calculateJwkThumbprint(key.jwk as JWK);
    return ok({ claims, signer: { kid: key.kid, thumbprint } });
  } catch {
    return err(`is not signed by key ${key.kid}`);
  }
};

const isSigned = (entry: Json | undefined, name: string, content: Buffer): boolean => {
  if (!isJsonObject(entry) || typeof entry['algorithm'] !== 'string') return false;
  try {
    return signedHash(name, content, entry['algorithm']) === entry['hash'];
  } catch {
    return false;
  }
};

/** Every file is signed and every signed file is there: what is missing could have been a rule. */
const judgeFiles = (files: ArchiveFiles, listed: Json | undefined): string | undefined => {
  if (!Array.isArray(listed)) return 'has a signature that lists no files';
  const entries = new Map(
    listed.map((entry: Json) => [isJsonObject(entry) ? entry['name'] : undefined, entry]),
  );
  if (entries.size !== listed.length) return 'has a signature that lists a file twice';
  for (const [name, content] of files) {
    if (name !== SIGNATURES && !isSigned(entries.get(name), name, content))
      return `holds ${name} otherwise than signed`;
    entries.delete(name);
  }
  return entries.size === 0 ? undefined : 'lacks a file that is signed';
};

/**
 * Who signed the files, or nobody.
 * @returns undefined for files without a signature; the error says what is wrong with the one that is there.
 */
export const verifySignature = async (
  files: ArchiveFiles,
  { keys, nowMs }: { readonly keys: readonly PublisherKey[]; readonly nowMs: number },
): Promise<Result<Signer | undefined, string>> => {
  const file = files.get(SIGNATURES);
  if (file === undefined) return ok(undefined);
  const jwt = findJwt(file);
  if (!jwt.ok) return jwt;
  const verified = await verifyJwt(jwt.value, keys, nowMs);
  if (!verified.ok) return verified;
  const { claims, signer } = verified.value;
  // A scope says for whom a bundle is meant; none is registered here, so one that has a scope is for somebody else.
  if (claims['scope'] !== undefined && claims['scope'] !== '') return err('is signed for another scope');
  const fault = judgeFiles(files, claims['files']);
  return fault === undefined ? ok(signer) : err(fault);
};
