// Refusals of a provider as the other processes have heard them, so that a burst over several of them asks once. Sealed
// like tokens: a refusal holds no secret, but who may write one could stop any caller, and who may read them learns codes.

import { randomBytes } from 'node:crypto';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { keyIdOf, openText, type SealFault, sealText } from '#core/sealed-text.ts';
import { wasSetBack } from '#core/set-back.ts';
import type { RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import type { KeyRing } from '#runtime/key-ring.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

export type SharedRefusals = {
  /** Tells the others, for as long as it holds. */
  share(key: string, entry: RememberedRefusal, nowSeconds: number): Promise<void>;
  /** The first refusal under any of the keys that is still in force; none while nothing can be learnt. */
  find(keys: readonly string[], nowSeconds: number): Promise<RememberedRefusal | undefined>;
};

/** A refusal as a text for one key, and back; undefined where it does not open under this key. */
export type RefusalSealer = {
  seal(key: string, entry: RememberedRefusal): string;
  open(key: string, text: string): RememberedRefusal | undefined;
};

const boundTo = (key: string): Buffer => Buffer.from(JSON.stringify(['mcpgw-refusal-1', key]));

export const createRefusalSealer = (parts: {
  readonly ring: KeyRing;
  readonly countUnopened: (fault: SealFault) => void;
}): RefusalSealer => ({
  seal: (key, entry) => {
    const content = { bytes: Buffer.from(JSON.stringify(entry)), bound: boundTo(key) };
    return sealText(parts.ring.current().current, randomBytes(NONCE_BYTES), content);
  },
  open: (key, text) => {
    const opened = openText(parts.ring.knowing(keyIdOf(text)), text, boundTo(key));
    // Authentic, so it has the shape `seal` gave it.
    if (opened.ok) return JSON.parse(opened.value.toString('utf8')) as RememberedRefusal;
    parts.countUnopened(opened.error);
    return undefined;
  },
});

/** Of a deployment that is one process: its own memory holds them. */
export const NO_SHARED_REFUSALS: SharedRefusals = { share: async () => {}, find: async () => undefined };

const nameOf = (key: string): string => `refusal:${key}`;

export const createSharedRefusals = (shared: SharedState, sealer: RefusalSealer): SharedRefusals => {
  const findOne = async (key: string, nowSeconds: number): Promise<RememberedRefusal | undefined> => {
    const text = await shared.read(nameOf(key));
    const entry = text.ok && text.value !== undefined ? sealer.open(key, text.value) : undefined;
    return entry !== undefined && entry.until > nowSeconds && !wasSetBack(entry.notedAt, nowSeconds)
      ? entry
      : undefined;
  };
  return {
    share: async (key, entry, nowSeconds) => {
      const lifetimeMs = Math.ceil((entry.until - nowSeconds) * 1000);
      // Not remembered here either: the operator who mends it should see it work at once.
      if (lifetimeMs <= 0) return;
      await shared.write(nameOf(key), { value: sealer.seal(key, entry), lifetimeMs });
    },
    find: async (keys, nowSeconds) => {
      const found = await Promise.all(keys.map((key) => findOne(key, nowSeconds)));
      return found.find((entry) => entry !== undefined);
    },
  };
};
