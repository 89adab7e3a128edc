// Adds, replaces and removes trusted issuers.

import { DIRECTORY_PLACEHOLDER, discoveryUriOf, type TrustedIssuer } from '#core/issuer.ts';
import { err } from '#core/result.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import { type CheckUrl, type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** Stands in for a directory while a URL is judged; a directory id is never part of a host name. */
const ANY_DIRECTORY = '00000000-0000-0000-0000-000000000000';

/** By their place in the resource. */
const urlsOf = (issuer: TrustedIssuer): readonly (readonly [string, string | undefined])[] => [
  ['jwksUri', issuer.jwksUri],
  ['discoveryUri', issuer.discoveryUri],
  ['tokenEndpoint', issuer.tokenEndpoint],
  ['introspection/endpoint', issuer.introspection?.endpoint],
  ['facade/authorizationEndpoint', issuer.facade?.authorizationEndpoint],
  ['facade/tokenEndpoint', issuer.facade?.tokenEndpoint],
  ['signals/sharedSignals/jwksUri', issuer.signals?.sharedSignals?.jwksUri],
  ['signals/graph/graphUrl', issuer.signals?.graph?.graphUrl],
];

const judgeUrl = (field: string, text: string, checkUrl: CheckUrl): Fault[] => {
  const checked = checkUrl(text.replaceAll(DIRECTORY_PLACEHOLDER, ANY_DIRECTORY));
  if (!checked.ok) return [{ pointer: `/${field}`, message: checked.error }];
  return checked.value.host.includes(ANY_DIRECTORY)
    ? [{ pointer: `/${field}`, message: `${DIRECTORY_PLACEHOLDER} may stand in the path only` }]
    : [];
};

const judgeGraphUrl = ({ groupLookup }: TrustedIssuer, checkUrl: CheckUrl): Fault[] => {
  const checked = groupLookup?.graphUrl === undefined ? undefined : checkUrl(groupLookup.graphUrl);
  return checked?.ok === false ? [{ pointer: '/groupLookup/graphUrl', message: checked.error }] : [];
};

/** An issuer is named as its tokens name it: by a URL. */
export const judgeIssuerText = (issuer: Pick<TrustedIssuer, 'issuer'>): Fault[] =>
  URL.canParse(issuer.issuer) && /^https?:$/.test(new URL(issuer.issuer).protocol)
    ? []
    : [{ pointer: '/issuer', message: 'expected an http or https URL, as it stands in the tokens' }];

/** An issuer that says nothing of its keys has them where its discovery document says; written out, so that it shows. */
const withKeyAddress = (issuer: TrustedIssuer): TrustedIssuer =>
  issuer.jwksUri === undefined && issuer.discoveryUri === undefined
    ? { ...issuer, discoveryUri: discoveryUriOf(issuer.issuer) }
    : issuer;

/** Adds `given` or puts it in the place of the one with its id. */
export const putIssuer = (before: Tenant, given: TrustedIssuer, checkUrl: CheckUrl): Outcome => {
  const issuer = withKeyAddress(given);
  return settle({
    before,
    after: { ...before, issuers: withItem(before.issuers, issuer) },
    resource: issuerName(issuer.id),
    faults: [
      ...judgeIssuerText(issuer),
      ...urlsOf(issuer).flatMap(([field, text]) =>
        text === undefined ? [] : judgeUrl(field, text, checkUrl),
      ),
      ...judgeGraphUrl(issuer, checkUrl),
    ],
  });
};

/** Removes an issuer that no server and no grant names. */
export const removeIssuer = (before: Tenant, id: string): Outcome =>
  findIssuer(before, id) === undefined
    ? err(notFound(`issuer ${id}`))
    : settle({
        before,
        after: { ...before, issuers: withoutItem(before.issuers, id) },
        resource: issuerName(id),
      });
