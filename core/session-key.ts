// The keys of sessions: what seals their ids, and what marks the ids of their events.

import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  deriveBytes,
  deriveSealingKey,
  SECRET_BYTES,
  type SealingKey,
  type SealingKeys,
} from '#core/sealing-key.ts';

const FORMAT = 'mcpgw-session-1';

export type SessionKey = SealingKey & {
  /** MACs of event ids. */
  readonly events: KeyObject;
};

export type SessionKeys = SealingKeys<SessionKey>;

/** The key of a secret of 32 random bytes. */
export const deriveSessionKey = (secret: Uint8Array): SessionKey => ({
  ...deriveSealingKey(secret, FORMAT),
  events: createSecretKey(deriveBytes(secret, { format: FORMAT, use: 'events', bytes: SECRET_BYTES })),
});
