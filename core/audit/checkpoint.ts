// A checkpoint: the end of a chain at one time, signed with Ed25519 as a compact JWS (RFC 7515, RFC 8037). Unlike a MAC
// it can be checked by somebody who could not have made it, so it is what is anchored outside.

import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { ChainEnd } from '#core/audit/record.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';

export type Checkpoint = ChainEnd & { readonly at: string };

export type PublicCheckpointKey = { readonly kid: string; readonly key: KeyObject };
export type CheckpointSigner = PublicCheckpointKey & { readonly privateKey: KeyObject };

const TYPE = 'mcpgw-audit-checkpoint';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const decode = (part: string | undefined): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Thumbprint of an Ed25519 key (RFC 7638, RFC 8037 §2): its `kid`. */
const thumbprint = (key: KeyObject): string => {
  const { crv, kty, x } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
};

/** @throws what node:crypto throws where the JWK holds no Ed25519 key. */
export const publicCheckpointKey = (jwk: JsonObject): PublicCheckpointKey => {
  const { kty, crv, x } = jwk as Readonly<Record<string, string>>;
  if (kty !== 'OKP' || crv !== 'Ed25519') throw new TypeError('expected an Ed25519 key');
  const key = createPublicKey({ key: { kty, crv, x: x ?? '' }, format: 'jwk' });
  return { kid: thumbprint(key), key };
};

export const checkpointSigner = (privateKey: KeyObject): CheckpointSigner => {
  const key = createPublicKey(privateKey);
  return { kid: thumbprint(key), key, privateKey };
};

/** The public half as a JWK. */
export const publicJwk = ({ kid, key }: PublicCheckpointKey): JsonObject => ({
  ...(key.export({ format: 'jwk' }) as JsonObject),
  alg: 'EdDSA',
  use: 'sig',
  kid,
});

export const signCheckpoint = (signer: CheckpointSigner, checkpoint: Checkpoint): string => {
  const { chain, sequence, mac, at } = checkpoint;
  const header = encode({ alg: 'EdDSA', typ: TYPE, kid: signer.kid });
  const input = `${header}.${encode({ chain, sequence, mac, at })}`;
  return `${input}.${sign(null, Buffer.from(input), signer.privateKey).toString('base64url')}`;
};

const isSigned = (keys: readonly PublicCheckpointKey[], parts: readonly string[]): boolean => {
  const [header = '', payload = '', signature = ''] = parts;
  const { alg, typ, kid } = decode(header) ?? {};
  const known = keys.find((key) => key.kid === kid);
  if (known === undefined || alg !== 'EdDSA' || typ !== TYPE || parts.length !== 3) return false;
  return verify(null, Buffer.from(`${header}.${payload}`), known.key, Buffer.from(signature, 'base64url'));
};

/** What a compact JWS says, or undefined if none of the keys signed it. */
export const readCheckpoint = (keys: readonly PublicCheckpointKey[], jws: string): Checkpoint | undefined => {
  const parts = jws.trim().split('.');
  if (!isSigned(keys, parts)) return undefined;
  const { chain, sequence, mac, at } = decode(parts[1]) ?? {};
  const isWhole = [chain, mac, at].every((text) => typeof text === 'string') && typeof sequence === 'number';
  return isWhole ? ({ chain, sequence, mac, at } as Checkpoint) : undefined;
};
