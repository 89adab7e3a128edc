// What the façade hands out and gets back, sealed: it keeps nothing itself, so nothing grows and every process of it can
// answer. A text opens for the purpose and the façade it was made for and for no other.

import type { FacadeRef } from '#core/facade-path.ts';
import { keyIdOf, openText, sealText } from '#core/sealed-text.ts';
import type { KeyRing } from '#runtime/key-ring.ts';

/** `client`: an id of a registered one; `consent`: a page that was shown; `state`: who is at the provider; the rest speak for themselves. */
type Purpose = 'client' | 'consent' | 'state' | 'code' | 'refresh' | 'consents';

export type Sealer = {
  seal(purpose: Purpose, facade: FacadeRef, content: object): string;
  /** What was sealed, or undefined if it was not sealed by us, for this, here. Of the shape it was given when it was. */
  open<T extends object>(purpose: Purpose, facade: FacadeRef, text: string): T | undefined;
};

/** AES-GCM, NIST SP 800-38D §8.2.2. */
const NONCE_BYTES = 12;

const boundTo = (purpose: Purpose, { tenantId, issuerId }: FacadeRef): Buffer =>
  Buffer.from(JSON.stringify([purpose, tenantId, issuerId]));

export const createSealer = (ring: KeyRing, randomBytes: (count: number) => Uint8Array): Sealer => ({
  seal: (purpose, facade, content) =>
    sealText(ring.current().current, randomBytes(NONCE_BYTES), {
      bytes: Buffer.from(JSON.stringify(content)),
      bound: boundTo(purpose, facade),
    }),
  open: (purpose, facade, text) => {
    const opened = openText(ring.knowing(keyIdOf(text)), text, boundTo(purpose, facade));
    return opened.ok ? JSON.parse(opened.value.toString('utf8')) : undefined;
  },
});
