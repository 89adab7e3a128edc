// What replicas were last seen to serve, and what a sighting makes of it. A tool drifts while one replica is known to serve
// it otherwise; those that serve what was approved are remembered beside it, because then they disagree. Pure.

import type { JsonChange } from '#core/json-diff.ts';
import type { DriftSighting } from '#core/tool-drift.ts';
import type { ReplicaSight } from '#registry/store/drift.ts';

/** `changes` only where a sighting has just told them. */
export type Sight = ReplicaSight & { readonly changes?: readonly JsonChange[] };

/**
 * A replica that was seen this much earlier than another one of the tool has been replaced: what it served is of no
 * concern. Nothing ends by the clock alone: nobody has looked meanwhile.
 */
const REPLACED_AFTER_MS = 3_600_000;

/** Replicas that are remembered of one tool: enough to see who disagrees. Those that drift stay before the others. */
const MAX_REPLICAS = 32;

export const toolKey = ({ version, tool }: Pick<ReplicaSight, 'version' | 'tool'>): string =>
  `${version} ${tool}`;

const sightKey = (sight: Pick<ReplicaSight, 'version' | 'tool' | 'replica'>): string =>
  `${toolKey(sight)} ${sight.replica}`;

const drifts = ({ digest }: Sight): boolean => digest !== undefined;

const lastSeenMs = ({ lastSeen }: Sight): number => Date.parse(lastSeen);

const seen = (known: Sight | undefined, sighting: DriftSighting): Sight => {
  const { version, tool, replica, digest, changes, at } = sighting;
  const isSame = known !== undefined && known.digest === digest;
  return {
    version,
    tool,
    replica,
    ...(digest === undefined ? {} : { digest }),
    firstSeen: isSame ? known.firstSeen : at,
    lastSeen: at,
    changes: digest === undefined ? [] : changes,
  };
};

/** Of one tool: nothing once no replica drifts, and no more than may be remembered. */
const settle = (sights: readonly Sight[]): readonly Sight[] => {
  const newest = Math.max(...sights.map(lastSeenMs));
  const present = sights.filter((sight) => newest - lastSeenMs(sight) <= REPLACED_AFTER_MS);
  if (!present.some(drifts)) return [];
  return present
    .toSorted((a, b) => Number(drifts(b)) - Number(drifts(a)) || lastSeenMs(b) - lastSeenMs(a))
    .slice(0, MAX_REPLICAS);
};

/**
 * What is known of a server's replicas after these sightings; those that come late change nothing. What is unchanged
 * are the same objects.
 */
export const applySightings = (
  before: readonly Sight[],
  sightings: readonly DriftSighting[],
): readonly Sight[] => {
  const sights = new Map(before.map((sight) => [sightKey(sight), sight]));
  for (const sighting of sightings) {
    const key = sightKey(sighting);
    const known = sights.get(key);
    if (known === undefined || Date.parse(sighting.at) >= lastSeenMs(known))
      sights.set(key, seen(known, sighting));
  }
  const byTool = Map.groupBy(sights.values(), toolKey);
  return [...byTool.values()].flatMap(settle);
};

/** What is to be written and what to be deleted, to make `after` of `before`. */
export const sightsBetween = (before: readonly Sight[], after: readonly Sight[]) => {
  const [old, kept] = [new Set(before), new Set(after.map(sightKey))];
  return {
    written: after.filter((sight) => !old.has(sight)),
    deleted: before.filter((sight) => !kept.has(sightKey(sight))),
  };
};
