// Who gains and who loses what between two states of a tenant: server by server, callers who gain the same together.

import type { Grant } from '#core/grant.ts';
import { isSameJson } from '#core/same-json.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  type Basis,
  findReach,
  type Reached,
  type Rights,
  reachedKey,
  rightsBeyond,
  rightsOf,
  type ServerReach,
} from '#registry/revisions/reach.ts';

export type AccessEntry = {
  readonly serverId: string;
  readonly subjects: readonly Reached[];
  readonly tools: readonly string[];
  readonly laterTools: readonly string[];
  readonly prompts: readonly string[];
  readonly resources: readonly string[];
};

export type AccessChange = { readonly gained: readonly AccessEntry[]; readonly lost: readonly AccessEntry[] };

type Names = Omit<AccessEntry, 'serverId' | 'subjects'>;

/** Names, and one text for them: callers with one text are listed together. */
type Gain = { readonly names: Names; readonly text: string };

const namesOf = ({ tools, laterTools, prompts, resources }: Rights): Names => ({
  tools: [...tools].toSorted(),
  laterTools: [...laterTools].toSorted(),
  prompts: [...prompts].toSorted(),
  resources: [...resources].toSorted(),
});

const NOTHING: Rights = { tools: new Set(), laterTools: new Set(), prompts: new Set(), resources: new Set() };

const gainOf = (
  now: { readonly reach: ServerReach; readonly grants: readonly Grant[] },
  then: { readonly reach: ServerReach | undefined; readonly grants: readonly Grant[] },
): Gain => {
  const known = then.reach === undefined ? NOTHING : rightsOf(then.reach.server, then.grants);
  const names = namesOf(rightsBeyond(rightsOf(now.reach.server, now.grants), known));
  return { names, text: JSON.stringify(names) };
};

const idsOf = (grants: readonly Grant[]): string => grants.map(({ id }) => id).join(' ');

/** The gain of each group of callers. Thousands of subjects share a few grants, and those are compared once. */
const findGains = (now: ServerReach, then: ServerReach | undefined) => {
  const known = new Map<string, Gain>();
  return [...now.grants].map(([key, { reached, grants }]) => {
    const before = then?.grants.get(key)?.grants ?? [];
    const pair = `${idsOf(grants)}|${idsOf(before)}`;
    const gain = known.get(pair) ?? gainOf({ reach: now, grants }, { reach: then, grants: before });
    known.set(pair, gain);
    return { reached, gain };
  });
};

const byKey = (a: Reached, b: Reached): number => (reachedKey(a) < reachedKey(b) ? -1 : 1);

const isNothing = (names: Names): boolean =>
  Object.values(names).every((list: readonly string[]) => list.length === 0);

/** What the callers of `now` may use that they may not in `then`. */
const compare = (now: ServerReach | undefined, then: ServerReach | undefined): readonly AccessEntry[] => {
  if (now === undefined) return [];
  const gains = findGains(now, then).filter(({ gain }) => !isNothing(gain.names));
  return [...Map.groupBy(gains, ({ gain }) => gain.text).values()].flatMap((group) =>
    group.slice(0, 1).map(({ gain }) => ({
      serverId: now.server.id,
      subjects: group.map(({ reached }) => reached).toSorted(byKey),
      ...gain.names,
    })),
  );
};

const basesOf = (tenant: Tenant): ((serverId: string) => Basis) => {
  const grants = Map.groupBy(tenant.grants, ({ serverId }) => serverId);
  const servers = new Map(tenant.servers.map((server) => [server.id, server]));
  return (id) => ({ server: servers.get(id), grants: grants.get(id) ?? [], issuers: tenant.issuers });
};

const textOf = (entry: AccessEntry): string => JSON.stringify(entry);

const sorted = (entries: readonly AccessEntry[]): readonly AccessEntry[] =>
  entries.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));

/** What changes for callers when `before` becomes `after`, independent of the order of grants and subjects. */
export const accessChange = (before: Tenant, after: Tenant): AccessChange => {
  const [oldBasis, newBasis] = [basesOf(before), basesOf(after)];
  const ids = new Set([...before.servers, ...after.servers].map(({ id }) => id));
  // What two states share are the same objects: comparing them costs nothing, and most servers end here.
  const touched = [...ids].filter((id) => !isSameJson(oldBasis(id), newBasis(id)));
  const reaches = touched.map((id) => ({ old: findReach(oldBasis(id)), current: findReach(newBasis(id)) }));
  return {
    gained: sorted(reaches.flatMap(({ old, current }) => compare(current, old))),
    lost: sorted(reaches.flatMap(({ old, current }) => compare(old, current))),
  };
};
