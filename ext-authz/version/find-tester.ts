// Whether a caller is among those who get a version whatever the shares say. Pure.

import type { Identity } from '#core/identity.ts';
import type { Tester, TrafficSplit } from '#core/traffic-split.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { headerValue } from '#ext-authz/request/single-header.ts';

/** A group without an issuer is a home issuer's own members', as a grant's is: a partner may have one of that name. */
const isInGroup = (
  { id, issuerId }: { readonly id: string; readonly issuerId?: string },
  identity: Identity,
): boolean => {
  const isMeant =
    issuerId === undefined ? identity.relation === 'home' && !identity.guest : issuerId === identity.issuerId;
  return isMeant && identity.groups.includes(id);
};

/** A header that stands twice says two things, and which one counts would depend on who reads it: it says nothing. */
const hasHeader = (
  { name, value }: { readonly name: string; readonly value: string },
  headers: HttpRequest['headers'],
): boolean => headers.get(name)?.length === 1 && headerValue(headers, name) === value;

const isTester = (tester: Tester, identity: Identity, headers: HttpRequest['headers']): boolean => {
  if ('header' in tester) return hasHeader(tester.header, headers);
  return 'group' in tester ? isInGroup(tester.group, identity) : tester.principal === identity.principal;
};

/** The first tester entry that means this caller; none of a version that is withdrawn. */
export const findTester = (
  { testers, withdrawn }: TrafficSplit,
  identity: Identity,
  headers: HttpRequest['headers'],
): Tester | undefined =>
  testers.find((tester) => !withdrawn.includes(tester.version) && isTester(tester, identity, headers));
