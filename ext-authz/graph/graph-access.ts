// How an application of an issuer gets to Microsoft Graph: with a token of its own, for the one directory that is asked
// about. Pure.

import { type ClientApplication, credentialOf } from '#core/client-credential.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { expandDirectory, isGuid } from '#ext-authz/identity/issuers.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';

/** The application that asks, as the registry has it. */
export type GraphApplication = ClientApplication & {
  /** Origin of Graph, without a slash; absent: that of the public cloud. */
  readonly graphUrl?: string;
};

export type GraphAccess = { readonly graphUrl: string; readonly exchange: ExchangePlan };

const PUBLIC_GRAPH = 'https://graph.microsoft.com';

/** Undefined where there is no token endpoint or no credential, or `tid` names no directory. */
export const graphAccess = (
  { tokenEndpoint }: TrustedIssuer,
  { graphUrl = PUBLIC_GRAPH, ...application }: GraphApplication,
  tid: string | undefined,
): GraphAccess | undefined => {
  const credential = credentialOf(application);
  if (tokenEndpoint === undefined || credential === undefined || !isGuid(tid)) return undefined;
  return {
    graphUrl,
    exchange: {
      kind: 'client-credentials',
      application: { clientId: application.clientId, credential },
      tokenEndpoint: expandDirectory(tokenEndpoint, tid),
      directory: tid,
      scopes: [`${graphUrl}/.default`],
    },
  };
};
