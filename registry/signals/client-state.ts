// What Graph has to say with each notification, so that it is believed: a secret of each channel, the same at every registry
// of a deployment and after every restart, because Graph keeps it as long as the subscription lives. Nothing is stored.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AuditKey, AuditKeys } from '#core/audit/audit-key.ts';
import { Secret } from '#core/secret.ts';

/** An application in the place of another gets another secret: the one before knows the old one. */
export type GraphChannelName = {
  readonly tenantId: string;
  readonly issuerId: string;
  readonly clientId: string;
};

const stateBy = ({ shared }: AuditKey, { tenantId, issuerId, clientId }: GraphChannelName): string =>
  createHmac('sha256', shared)
    .update(JSON.stringify(['graph client state', tenantId, issuerId, clientId]))
    .digest('base64url');

/** What a new subscription is given: 43 characters, of the 128 Graph takes. */
export const clientStateOf = (keys: AuditKeys, name: GraphChannelName): Secret =>
  new Secret(stateBy(keys.current, name));

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether it is a secret of this channel, by any key: a subscription may be older than the current one. Constant in time. */
export const isClientState = (keys: AuditKeys, name: GraphChannelName, given: string): boolean => {
  const digest = digestOf(given);
  return keys.all.map((key) => timingSafeEqual(digest, digestOf(stateBy(key, name)))).includes(true);
};
