// The publisher's side: the value of X-JWS-Signature for the bytes of a manifest. What time it is and which id the
// signature gets are told by the caller.

import { FlattenedSign, type JWK } from 'jose';
import { MANIFEST_TYPE, type ProtectedHeader } from '#registry/manifest/signature-header.ts';

/** @param jwk private key that fits `header.alg` */
export const signManifest = async (bytes: Uint8Array, jwk: JWK, header: ProtectedHeader): Promise<string> => {
  const signed = await new FlattenedSign(bytes)
    .setProtectedHeader({ ...header, b64: false, crit: ['b64'], typ: MANIFEST_TYPE })
    .sign(jwk);
  return `${signed.protected}..${signed.signature}`;
};
