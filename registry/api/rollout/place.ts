// Where a revision stands among the commits. Reads summaries only: a tenant may be megabytes.

import type { RevisionPlace } from '#registry/rollout/attribute.ts';
import type { Store } from '#registry/store/store.ts';

/** Undefined if the tenant has no such revision. */
export const placeOfRevision = async (
  store: Pick<Store, 'listRevisions'>,
  tenantId: string,
  number: number,
): Promise<RevisionPlace | undefined> => {
  const found = await store.listRevisions(tenantId, { before: number + 2, limit: 3 });
  const sequenceOf = (wanted: number): number | undefined =>
    found.find((revision) => revision.number === wanted)?.sequence;
  const [previous, sequence, next] = [number - 1, number, number + 1].map(sequenceOf);
  if (sequence === undefined) return undefined;
  return {
    sequence,
    ...(previous === undefined ? {} : { previous }),
    ...(next === undefined ? {} : { next }),
  };
};
