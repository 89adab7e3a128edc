// What makes a sign-in façade work: addresses of one directory or of a provider that has directories, and somebody it lets in.

import { DIRECTORY_PLACEHOLDER, type TrustedIssuer } from '#core/issuer.ts';
import type { SignInFacade } from '#core/sign-in-facade.ts';
import { issuerName } from '#registry/commands/resources.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

const ENDPOINTS = ['authorizationEndpoint', 'tokenEndpoint'] as const;

const judge = (
  { kind }: TrustedIssuer,
  facade: SignInFacade,
): readonly { readonly pointer: string; readonly message: string }[] => [
  ...ENDPOINTS.filter((field) => kind !== 'entra' && facade[field].includes(DIRECTORY_PLACEHOLDER)).map(
    (field) => ({
      pointer: `/facade/${field}`,
      message: `${DIRECTORY_PLACEHOLDER} is known for kind entra only`,
    }),
  ),
  ...(facade.clientDocuments || facade.registration
    ? []
    : [{ pointer: '/facade', message: 'clientDocuments or registration must let clients be known' }]),
];

export const facadeRule: Rule = ({ issuers }) =>
  issuers.flatMap((issuer) =>
    issuer.facade === undefined
      ? []
      : judge(issuer, issuer.facade).map((fault) => ({ resource: issuerName(issuer.id), ...fault })),
  );
