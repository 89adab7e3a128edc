// How an application of an issuer gets to Microsoft Graph: with a token of its own, for the one directory that is asked
// about. Pure.

import type { TrustedIssuer } from '#core/issuer.ts';
import { expandDirectory, isGuid } from '#ext-authz/identity/issuers.ts';
import type { ExchangePlan } from '#ext-authz/token/plan.ts';

/** The application that asks, as the registry has it. */
export type GraphApplication = {
  readonly clientId: string;
  readonly secretName: string;
  /** Origin of Graph, without a slash; absent: that of the public cloud. */
  readonly graphUrl?: string;
};

export type GraphAccess = { readonly graphUrl: string; readonly exchange: ExchangePlan };

const PUBLIC_GRAPH = 'https://graph.microsoft.com';

/** Undefined where there is no token endpoint, or `tid` names no directory. */
export const graphAccess = (
  { tokenEndpoint }: TrustedIssuer,
  { clientId, secretName, graphUrl = PUBLIC_GRAPH }: GraphApplication,
  tid: string | undefined,
): GraphAccess | undefined =>
  tokenEndpoint === undefined || !isGuid(tid)
    ? undefined
    : {
        graphUrl,
        exchange: {
          kind: 'client-credentials',
          application: { clientId, secretName },
          tokenEndpoint: expandDirectory(tokenEndpoint, tid),
          directory: tid,
          scopes: [`${graphUrl}/.default`],
        },
      };
