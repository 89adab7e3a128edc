// Adds, replaces and removes trusted issuers.

import type { TrustedIssuer } from '#core/issuer.ts';
import { err } from '#core/result.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import { type CheckUrl, type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { DIRECTORY_PLACEHOLDER } from '#registry/commands/rules/issuer-rules.ts';
import { settle } from '#registry/commands/settle.ts';

/** Stands in for a directory while a URL is judged; a directory id is never part of a host name. */
const ANY_DIRECTORY = '00000000-0000-0000-0000-000000000000';

const judgeUrl = (field: 'jwksUri' | 'tokenEndpoint', text: string, checkUrl: CheckUrl): Fault[] => {
  const checked = checkUrl(text.replaceAll(DIRECTORY_PLACEHOLDER, ANY_DIRECTORY));
  if (!checked.ok) return [{ pointer: `/${field}`, message: checked.error }];
  return checked.value.host.includes(ANY_DIRECTORY)
    ? [{ pointer: `/${field}`, message: `${DIRECTORY_PLACEHOLDER} may stand in the path only` }]
    : [];
};

/** An issuer is named as its tokens name it: by a URL. */
export const judgeIssuerText = (issuer: Pick<TrustedIssuer, 'issuer'>): Fault[] =>
  URL.canParse(issuer.issuer) && /^https?:$/.test(new URL(issuer.issuer).protocol)
    ? []
    : [{ pointer: '/issuer', message: 'expected an http or https URL, as it stands in the tokens' }];

/** Adds `issuer` or puts it in the place of the one with its id. */
export const putIssuer = (before: Tenant, issuer: TrustedIssuer, checkUrl: CheckUrl): Outcome =>
  settle({
    before,
    after: { ...before, issuers: withItem(before.issuers, issuer) },
    resource: issuerName(issuer.id),
    faults: [
      ...judgeIssuerText(issuer),
      ...judgeUrl('jwksUri', issuer.jwksUri, checkUrl),
      ...(issuer.tokenEndpoint === undefined
        ? []
        : judgeUrl('tokenEndpoint', issuer.tokenEndpoint, checkUrl)),
    ],
  });

/** Removes an issuer that no server and no grant names. */
export const removeIssuer = (before: Tenant, id: string): Outcome =>
  findIssuer(before, id) === undefined
    ? err(notFound(`issuer ${id}`))
    : settle({
        before,
        after: { ...before, issuers: withoutItem(before.issuers, id) },
        resource: issuerName(id),
      });
