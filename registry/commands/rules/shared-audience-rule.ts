// Entra v2 tokens carry the application's GUID as `aud`, so two servers behind one application see the same audience.
// A token for one is then a token for the other, unless each asks for a scope the other does not.

import type { IssuerBinding, McpServer } from '#core/server.ts';
import { serverName } from '#registry/commands/resources.ts';
import type { LocatedFault, Rule } from '#registry/commands/rules/rule.ts';

type Bound = { readonly server: McpServer; readonly binding: IssuerBinding; readonly index: number };

const hasScopeOfItsOwn = (own: IssuerBinding, other: IssuerBinding): boolean =>
  own.requiredScopes.some((scope) => !other.requiredScopes.includes(scope));

const judgePair = (own: Bound, other: Bound): LocatedFault[] => {
  if (own.server.id === other.server.id) return [];
  if (hasScopeOfItsOwn(own.binding, other.binding) && hasScopeOfItsOwn(other.binding, own.binding)) return [];
  return [
    {
      resource: serverName(own.server.id),
      pointer: `/bindings/${own.index}/requiredScopes`,
      message: `shares an audience with server ${other.server.id}: each of the two must require a scope of its own`,
    },
  ];
};

/** Bindings that see the same tokens, by issuer and audience: servers are many, those that share are few. */
const groupByAudience = (bound: readonly Bound[]): ReadonlyMap<string, readonly Bound[]> => {
  const keyed = bound.flatMap((entry) =>
    entry.binding.audiences.map((audience) => ({
      key: JSON.stringify([entry.binding.issuerId, audience]),
      entry,
    })),
  );
  const groups = Map.groupBy(keyed, ({ key }) => key);
  return new Map([...groups].map(([key, members]) => [key, members.map(({ entry }) => entry)]));
};

/** Scopes that only one of the bindings requires: whoever has one is told apart from all the others at once. */
const scopesOfOne = (group: readonly Bound[]): ReadonlySet<string> => {
  const uses = Map.groupBy(
    group.flatMap(({ binding }) => binding.requiredScopes),
    (scope) => scope,
  );
  return new Set([...uses].filter(([, found]) => found.length === 1).map(([scope]) => scope));
};

const judgeGroup = (group: readonly Bound[]): LocatedFault[] => {
  // Nearly every audience is one server's own.
  if (group.length === 1) return [];
  const unique = scopesOfOne(group);
  // Only these are held against everybody: thousands of servers may share an application, and nearly all are apart.
  const doubtful = group.filter(({ binding }) => !binding.requiredScopes.some((scope) => unique.has(scope)));
  return doubtful.flatMap((one) =>
    group.flatMap((other) => [...judgePair(one, other), ...judgePair(other, one)]),
  );
};

const judgeServers = (servers: readonly McpServer[]): readonly LocatedFault[] => {
  const bound = servers.flatMap((server) =>
    server.bindings.map((binding, index) => ({ server, binding, index })),
  );
  const faults = [...groupByAudience(bound).values()].flatMap(judgeGroup);
  // A pair that shares several audiences, or that was met from both sides, is named once.
  return [
    ...new Map(
      faults.map((fault) => [`${fault.resource} ${fault.pointer} ${fault.message}`, fault]),
    ).values(),
  ];
};

/** Lists that were judged: a change of anything but servers leaves theirs the same object. */
const judged = new WeakMap<readonly McpServer[], readonly LocatedFault[]>();

/** Two servers that share an audience of one issuer must each require a scope of their own. */
export const sharedAudienceRule: Rule = ({ servers }) => {
  const faults = judged.get(servers) ?? judgeServers(servers);
  judged.set(servers, faults);
  return faults;
};
