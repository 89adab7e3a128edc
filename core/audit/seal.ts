// Personal fields under the key of their subject. Without that key nobody can read them and everybody can still verify
// the chain, because its MAC covers the sealed form: that is what makes erasure possible.

import type { KeyObject } from 'node:crypto';
import { openBytes, sealBytes } from '#core/sealed-bytes.ts';

/** Where a sealed text belongs. It is authenticated with it: moved to another record, it does not open. */
export type SealPlace = { readonly chain: string; readonly sequence: number; readonly subject: string };

const placeBytes = ({ chain, sequence, subject }: SealPlace): Buffer =>
  Buffer.from(JSON.stringify(['mcpgw-audit-seal-1', chain, sequence, subject]));

export const sealText = (
  key: KeyObject,
  nonce: Uint8Array,
  content: { readonly text: string; readonly place: SealPlace },
): string => sealBytes(key, nonce, { bytes: Buffer.from(content.text), bound: placeBytes(content.place) });

export const openText = (key: KeyObject, sealed: string, place: SealPlace): string | undefined =>
  openBytes(key, sealed, placeBytes(place))?.toString('utf8');
