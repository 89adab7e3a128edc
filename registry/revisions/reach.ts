// Whom a grant's subjects mean, and what they may use, as policies/mcp/authz/grant.rego decides it call by call.
// Switches do not count here: a right that waits for a switch is a right.

import type { Grant, GrantSubject } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { servedVersions } from '#core/served-versions.ts';
import type { McpServer } from '#core/server.ts';

/** Callers of one issuer: its own people, guests of its directory, or, for a partner's issuer, everybody. */
export type Callers = 'members' | 'guests' | 'partners';

export type Reached = {
  readonly kind: GrantSubject['kind'];
  readonly id: string;
  readonly issuerId: string;
  readonly callers: Callers;
};

const callersOf = (subject: GrantSubject, issuer: TrustedIssuer): readonly Callers[] => {
  if (subject.issuerId === undefined) return issuer.relation === 'home' ? ['members'] : [];
  if (subject.issuerId !== issuer.id) return [];
  return issuer.relation === 'home' ? ['members', 'guests'] : ['partners'];
};

/** One key for one group of callers. */
export const reachedKey = ({ kind, id, issuerId, callers }: Reached): string =>
  JSON.stringify([kind, id, issuerId, callers]);

/** All that access to one server depends on. */
export type Basis = {
  readonly server: McpServer | undefined;
  /** The server's own. */
  readonly grants: readonly Grant[];
  readonly issuers: readonly TrustedIssuer[];
};

export type ServerReach = {
  readonly server: McpServer;
  /** The grants of each group of callers, with the key of the group. */
  readonly grants: ReadonlyMap<string, { readonly reached: Reached; readonly grants: readonly Grant[] }>;
};

const boundTo = (server: McpServer, issuers: readonly TrustedIssuer[]): readonly TrustedIssuer[] => {
  const bound = new Set(server.bindings.map(({ issuerId }) => issuerId));
  return issuers.filter(({ id }) => bound.has(id));
};

const reachedBy = (grant: Grant, issuers: readonly TrustedIssuer[]): readonly Reached[] =>
  grant.subjects.flatMap((subject) =>
    issuers.flatMap((issuer) =>
      callersOf(subject, issuer).map((callers) => ({
        kind: subject.kind,
        id: subject.id,
        issuerId: issuer.id,
        callers,
      })),
    ),
  );

/** Who can reach a server through the issuers it is bound to, and by which of its grants. */
export const findReach = ({ server, grants, issuers }: Basis): ServerReach | undefined => {
  if (server === undefined) return undefined;
  const bound = boundTo(server, issuers);
  const found = new Map<string, { reached: Reached; grants: Grant[] }>();
  for (const grant of grants) {
    const reached = new Map(reachedBy(grant, bound).map((one) => [reachedKey(one), one]));
    for (const [key, one] of reached) {
      const known = found.get(key);
      if (known === undefined) found.set(key, { reached: one, grants: [grant] });
      else known.grants.push(grant);
    }
  }
  return { server, grants: found };
};

export type Rights = {
  /** Tools of the versions being served: whoever may use one of any of them counts as having it. */
  readonly tools: ReadonlySet<string>;
  /** Names that only another version could have, or `*`: whatever another version will have. */
  readonly laterTools: ReadonlySet<string>;
  readonly prompts: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
};

const ANY = '*';

/** `*` says all that the names beside it say. */
const reduced = (names: ReadonlySet<string>): ReadonlySet<string> =>
  names.has(ANY) ? new Set([ANY]) : names;

const without = (
  names: ReadonlySet<string>,
  ...others: readonly ReadonlySet<string>[]
): ReadonlySet<string> => new Set([...names].filter((name) => !others.some((other) => other.has(name))));

/** What these grants together give on a server. */
export const rightsOf = (server: McpServer, grants: readonly Grant[]): Rights => {
  const pinned = new Set(servedVersions(server).flatMap(({ tools }) => tools.map(({ name }) => name)));
  const named = new Set(grants.flatMap(({ tools }) => tools));
  return {
    tools: named.has(ANY) ? pinned : new Set([...named].filter((name) => pinned.has(name))),
    laterTools: reduced(without(named, pinned)),
    prompts: reduced(new Set(grants.flatMap(({ prompts }) => prompts))),
    resources: reduced(new Set(grants.flatMap(({ resources }) => resources))),
  };
};

const beyond = (names: ReadonlySet<string>, known: ReadonlySet<string>): ReadonlySet<string> =>
  known.has(ANY) ? new Set() : without(names, known);

/** What `rights` hold that `known` do not. */
export const rightsBeyond = (rights: Rights, known: Rights): Rights => ({
  tools: without(rights.tools, known.tools),
  laterTools: without(beyond(rights.laterTools, known.laterTools), known.tools),
  prompts: beyond(rights.prompts, known.prompts),
  resources: beyond(rights.resources, known.resources),
});
