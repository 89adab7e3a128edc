// Keys that a change brings into a tenant: who brings a key may hold its other half, and is then the author of all
// that is signed with it.

import { canonicalJson } from '#core/canonical-json.ts';
import type { Publisher } from '#core/publisher.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Signer } from '#registry/approval/records.ts';

const keysOf = (publishers: readonly Publisher[]): ReadonlyMap<string, Signer> =>
  new Map(
    publishers.flatMap(({ id: publisherId, keys }) =>
      keys.map(({ kid, jwk }) => [canonicalJson([publisherId, kid, jwk]), { publisherId, kid }] as const),
    ),
  );

/** Keys of `after` that are not in `before`, or are another key there, or another publisher's. */
export const newKeys = (before: Tenant | undefined, after: Tenant): readonly Signer[] => {
  if (before?.publishers === after.publishers) return [];
  const known = keysOf(before?.publishers ?? []);
  return [...keysOf(after.publishers)].filter(([key]) => !known.has(key)).map(([, signer]) => signer);
};
