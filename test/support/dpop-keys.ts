// A client that holds a key and proves it (RFC 9449), with jose alone: nothing here is the gateway's own reading of the
// specification.

import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';

export type ProofKey = {
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
  /** Its thumbprint, as it stands in a token's `cnf`. */
  readonly jkt: string;
};

const PAIRS: Readonly<Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  Ed25519: () => generateKeyPairSync('ed25519'),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

export const createProofKey = async (algorithm = 'ES256'): Promise<ProofKey> => {
  const pair = PAIRS[algorithm]?.();
  if (pair === undefined) throw new Error(`no keys for ${algorithm}`);
  const publicJwk = await exportJWK(pair.publicKey);
  const jkt = await calculateJwkThumbprint(publicJwk);
  return { algorithm, privateKey: pair.privateKey, publicJwk, jkt };
};

export type ProofFacts = {
  readonly method: string;
  readonly url: string;
  readonly token?: string;
  readonly nowSeconds?: number;
  /** Put over the claims and the header that are right. */
  readonly claims?: object;
  readonly header?: object;
};

/** One proof; new each time. */
export const signProof = (key: ProofKey, facts: ProofFacts): Promise<string> => {
  const { method, url, token, nowSeconds = Math.floor(Date.now() / 1000) } = facts;
  const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url');
  const claims = { jti: randomUUID(), htm: method, htu: url, iat: nowSeconds, ath, ...facts.claims };
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.algorithm, jwk: key.publicJwk, ...facts.header })
    .sign(key.privateKey);
};
