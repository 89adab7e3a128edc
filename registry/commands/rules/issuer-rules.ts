// What makes a trusted issuer unambiguous: which directories it speaks for, and that no two of a tenant's issuers
// accept the same token.

import { isClaimPath } from '#core/find-claim.ts';
import { acceptedIssuers, type ClaimNames, DIRECTORY_PLACEHOLDER, type TrustedIssuer } from '#core/issuer.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { isOrigin } from '#registry/commands/rules/origin.ts';
import type { LocatedFault, Rule } from '#registry/commands/rules/rule.ts';

const PLACEHOLDER_FIELDS = ['issuer', 'jwksUri', 'discoveryUri', 'tokenEndpoint'] as const;

const isKeyAddress = (field: string): boolean => field === 'jwksUri' || field === 'discoveryUri';

const fault = (issuer: TrustedIssuer, pointer: string, message: string): LocatedFault => ({
  resource: issuerName(issuer.id),
  pointer,
  message,
});

const judgePlaceholders = (issuer: TrustedIssuer): LocatedFault[] =>
  PLACEHOLDER_FIELDS.filter(
    (field) =>
      issuer[field]?.includes(DIRECTORY_PLACEHOLDER) && (issuer.kind !== 'entra' || isKeyAddress(field)),
  ).map((field) =>
    fault(
      issuer,
      `/${field}`,
      isKeyAddress(field)
        ? `${DIRECTORY_PLACEHOLDER} cannot stand here: keys are fetched once for all directories`
        : `${DIRECTORY_PLACEHOLDER} is known for kind entra only`,
    ),
  );

const judgeDirectories = (issuer: TrustedIssuer): LocatedFault[] => {
  const count = issuer.directoryTenants.length;
  if (issuer.kind === 'entra' && count === 0)
    return [
      fault(
        issuer,
        '/directoryTenants',
        'an Entra issuer names the directories it accepts: otherwise every directory in the world could sign in',
      ),
    ];
  return issuer.kind === 'oidc' && count > 0
    ? [fault(issuer, '/directoryTenants', 'only an Entra issuer has directories')]
    : [];
};

/** Two places that say where the keys are would be two answers to whom the gateway believes. */
const judgeKeyAddress = (issuer: TrustedIssuer): LocatedFault[] =>
  (issuer.jwksUri === undefined) === (issuer.discoveryUri === undefined)
    ? [fault(issuer, '/discoveryUri', 'either jwksUri or discoveryUri says where the keys are, not both')]
    : [];

const judgeClaims = (issuer: TrustedIssuer): LocatedFault[] =>
  (Object.keys(issuer.claims) as (keyof ClaimNames)[])
    .filter((claim) => !isClaimPath(issuer.claims[claim]))
    .map((claim) =>
      fault(
        issuer,
        `/claims/${claim}`,
        'not a JSON Pointer of one to eight members; in it "~" is written ~0 and "/" ~1',
      ),
    );

/** Graph answers with the groups of Entra's own claim, to a token of Entra's own endpoint. */
const judgeGroupLookup = (issuer: TrustedIssuer): LocatedFault[] => {
  if (issuer.groupLookup === undefined) return [];
  const { graphUrl } = issuer.groupLookup;
  const faults: [boolean, string, string][] = [
    [issuer.kind !== 'entra', '/groupLookup', 'only an Entra issuer has groups elsewhere'],
    [issuer.tokenEndpoint === undefined, '/groupLookup', 'needs the tokenEndpoint to ask for its own token'],
    [
      issuer.claims.groups !== 'groups',
      '/groupLookup',
      'looks up the claim "groups", which is not read here',
    ],
    [
      graphUrl !== undefined && !isOrigin(graphUrl),
      '/groupLookup/graphUrl',
      'expected an origin such as https://graph.microsoft.com, without path and slash',
    ],
  ];
  return faults.filter(([isFault]) => isFault).map(([, pointer, message]) => fault(issuer, pointer, message));
};

const judgeTokenRequests = (issuer: TrustedIssuer): LocatedFault[] => {
  if (issuer.tokenRequests === undefined) return [];
  if (issuer.kind === 'entra')
    return [fault(issuer, '/tokenRequests', 'how Entra is asked for tokens is known')];
  return issuer.tokenEndpoint === undefined
    ? [fault(issuer, '/tokenRequests', 'needs the tokenEndpoint that is asked')]
    : [];
};

/** Each issuer on its own. */
export const issuerRule: Rule = ({ issuers }) =>
  issuers.flatMap((issuer) => [
    ...judgePlaceholders(issuer),
    ...judgeDirectories(issuer),
    ...judgeKeyAddress(issuer),
    ...judgeClaims(issuer),
    ...judgeGroupLookup(issuer),
    ...judgeTokenRequests(issuer),
  ]);

/** Ids of the issuers that accept each `iss`: by value, because an issuer may have a thousand of them. */
const groupByAccepted = (issuers: readonly TrustedIssuer[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const groups = new Map<string, Set<string>>();
  for (const issuer of issuers) {
    for (const value of acceptedIssuers(issuer))
      groups.set(value, (groups.get(value) ?? new Set<string>()).add(issuer.id));
  }
  return groups;
};

/** A token must lead to one issuer, or which key and which relation apply would depend on the order of a list. */
export const distinctIssuersRule: Rule = ({ issuers }) => {
  const rivals = new Map<string, Set<string>>();
  for (const ids of groupByAccepted(issuers).values()) {
    if (ids.size === 1) continue;
    for (const id of ids) rivals.set(id, new Set([...(rivals.get(id) ?? []), ...ids]));
  }
  return issuers.flatMap((issuer) =>
    [...(rivals.get(issuer.id) ?? [])]
      .filter((id) => id !== issuer.id)
      .map((id) => fault(issuer, '/issuer', `issuer ${id} accepts the same tokens`)),
  );
};
